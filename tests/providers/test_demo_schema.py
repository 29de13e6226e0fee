"""Structured output of the demo model: valid values for JSON Schemas, within bounds."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenwire.errors import ClientError
from tokenwire.providers.demo.instance import MAX_DEPTH, MAX_SIZE, instance

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "next", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
SATISFIABLE: dict[str, dict[str, Any]] = {
    "object": PERSON,
    "recursion": TREE,
    "recursion to the root": {
        "type": "object",
        "properties": {"left": {"$ref": "#"}, "list": {"type": "array", "items": {"$ref": "#"}}},
    },
    "enum": {"enum": ["red", "green"]},
    "const": {"const": {"a": [1, None]}},
    "nullable": {"type": ["null", "string"]},
    "null": {"type": ["null"]},
    "boolean": {"type": "boolean"},
    "anything": {},
    "nothing but examples": {"x-mine": 1, "examples": ["a"], "default": 3},
    "oneOf by a tag": {
        "oneOf": [
            {"type": "object", "properties": {"kind": {"const": "a"}}, "required": ["kind"]},
            {"type": "object", "properties": {"kind": {"const": "b"}}, "required": ["kind"]},
        ]
    },
    "anyOf beside properties": {
        "type": "object",
        "properties": {"id": {"type": "integer"}},
        "required": ["id"],
        "anyOf": [False, {"required": ["other"], "properties": {"other": {"type": "null"}}}],
    },
    "allOf": {
        "allOf": [
            {"type": "object", "properties": {"n": {"minimum": 3}}, "required": ["n"]},
            {"properties": {"n": {"type": "integer", "minimum": 5, "maximum": 9}}},
            {"title": "one", "required": ["n"]},
            {"title": "two", "properties": {"n": {"maximum": 6}}},
        ]
    },
    "allOf of items": {
        "type": "array",
        "minItems": 1,
        "items": {"type": ["string", "null"]},
        "allOf": [{"items": {"type": ["string", "integer"]}}],
    },
    "array in bounds": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 3},
    "different items": {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"const": 1}}},
        "minItems": 4,
        "uniqueItems": True,
    },
    "different numbers": {
        "type": "array",
        "items": {"type": "number", "minimum": 0, "maximum": 1},
        "minItems": 100,
        "uniqueItems": True,
    },
    "tuple": {
        "type": "array",
        "prefixItems": [{"type": "string"}, {"type": "integer"}],
        "items": False,
        "minItems": 2,
    },
    "formats": {
        "type": "object",
        "properties": {
            name: {"type": "string", "format": name}
            for name in ("date-time", "date", "email", "ipv4", "ipv6", "uuid", "uri", "colour")
        },
    },
    "lengths": {"type": "string", "minLength": 40, "maxLength": 41},
    "short": {"type": "string", "maxLength": 1},
    "multiple": {"type": "integer", "multipleOf": 7, "minimum": 8},
    "multiple, open": {"type": "integer", "multipleOf": 7, "exclusiveMinimum": 7},
    "below": {"type": "integer", "exclusiveMaximum": -3},
    "number below": {"type": "number", "exclusiveMaximum": -3},
    "number above": {"type": "number", "exclusiveMinimum": 3},
    "between": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
    "type from a keyword": {"minimum": 4},
    "object without a type": {"required": ["a"]},
    "extra properties": {
        "type": "object",
        "minProperties": 2,
        "maxProperties": 2,
        "additionalProperties": {"type": "integer"},
    },
    "few properties": {**PERSON, "required": ["age"], "maxProperties": 1},
    "reference by index": {
        "prefixItems": [{"type": "integer"}],
        "items": {"$ref": "#/prefixItems/0"},
    },
    "reference, escaped": {"$defs": {"a/b~c": {"type": "null"}}, "$ref": "#/$defs/a~1b~0c"},
}


@pytest.mark.parametrize("name", SATISFIABLE)
def test_the_value_is_valid(name: str) -> None:
    """An independent validator accepts the value."""
    schema = SATISFIABLE[name]
    jsonschema.Draft202012Validator(schema).validate(instance(schema, "x"))


def test_values_suit_their_names() -> None:
    """A city is a city; other texts are named after their property."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}, "due_day": {}}}
    assert instance(schema, "x") == {"city": "Bielefeld", "due_day": "due day"}


IMPOSSIBLE: dict[str, dict[str, Any]] = {
    "false": {"type": "array", "items": False, "minItems": 1},
    "closed": {"type": "object", "required": ["a"], "additionalProperties": False},
    "closed part": {"allOf": [PERSON, {"properties": {"other": {}}}]},
    "too many required": {"type": "object", "required": ["a", "b"], "maxProperties": 1},
    "more than there are": {
        "type": "object",
        "minProperties": 1,
        "unevaluatedProperties": False,
    },
    "unevaluated": {"type": "object", "unevaluatedProperties": {"type": "string"}},
    "bounds": {"type": "integer", "minimum": 3, "maximum": 2},
    "equal and open": {"type": "number", "minimum": 1, "exclusiveMaximum": 1},
    "lengths": {"type": "string", "minLength": 3, "maxLength": 2},
    "format and length": {"type": "string", "format": "uuid", "maxLength": 5},
    "items": {"type": "array", "minItems": 3, "maxItems": 2},
    "few different": {
        "type": "array",
        "items": {"type": "boolean"},
        "minItems": 3,
        "uniqueItems": True,
    },
    "few in enum": {"type": "array", "items": {"enum": [1]}, "minItems": 2, "uniqueItems": True},
    "enum": {"enum": []},
    "anyOf": {"anyOf": []},
    "anyOf is no list": {"anyOf": 5},
    "const and enum": {"const": 1, "enum": [2]},
    "enum of another type": {"enum": [True, "a"], "type": "integer"},
    "enum and a limit": {"enum": [1, 2], "minimum": 2},
    "types": {"allOf": [{"type": "string"}, {"type": "integer"}]},
    "given twice": {"allOf": [{"multipleOf": 2}, {"multipleOf": 3}]},
    "unknown type": {"type": "text"},
    "pattern": {"type": "string", "pattern": "^(a+)+$"},
    "not": {"not": {}},
    "fraction of an integer": {"type": "integer", "multipleOf": 0.5},
    "outside": {"$ref": "https://example.com/schema"},
    "nowhere": {"$ref": "#/$defs/none"},
    "far index": {"prefixItems": [], "$ref": "#/prefixItems/" + "9" * 5000},
    "circle": {"$ref": "#"},
    "endless": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "limit": {"type": "string", "minLength": "3"},
    "large limit": {"type": "integer", "minimum": 1e300},
    "merged limit": {"minimum": "x", "allOf": [{"minimum": 1}]},
    "properties": {"type": "object", "properties": 5},
    "merged properties": {"properties": [1], "allOf": [{"properties": {"a": {}}}]},
    "prefix": {"type": "array", "prefixItems": 5},
    "large": {"type": "array", "minItems": MAX_SIZE, "items": {"type": "string"}},
    "large text": {"type": "array", "minItems": 2, "items": {"const": "x" * (MAX_SIZE // 2)}},
    "endless branches": {
        "type": "object",
        "properties": {name: {"anyOf": [{"$ref": "#"}] * 9} for name in "abc"},
        "required": ["a", "b", "c"],
    },
    "many alternatives": {"allOf": [{"enum": list(range(999))}, {"enum": list(range(1, 999))}]},
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_satisfied_is_refused_by_name(name: str) -> None:
    """The error names the field of the request."""
    with pytest.raises(ClientError) as caught:
        instance(IMPOSSIBLE[name], "response_format.json_schema.schema")
    assert caught.value.code == "unsupported_parameter"
    assert caught.value.param == "response_format.json_schema.schema"


def nested(depth: int) -> dict[str, Any]:
    """A schema of lists within lists."""
    schema: dict[str, Any] = {"type": "null"}
    for _ in range(depth):
        schema = {"type": "array", "minItems": 1, "items": schema}
    return schema


def test_depth_is_bounded() -> None:
    """As deep as the bound, and no deeper."""
    assert json.dumps(instance(nested(MAX_DEPTH - 1), "x")).count("[") == MAX_DEPTH - 1
    with pytest.raises(ClientError, match="too deep"):
        instance(nested(MAX_DEPTH), "x")


LIMITS = st.integers(-3, 12)
LEAVES = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")}, optional={"minLength": LIMITS, "maxLength": LIMITS}
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": LIMITS,
            "maximum": LIMITS,
            "exclusiveMinimum": LIMITS,
            "exclusiveMaximum": LIMITS,
            "multipleOf": st.integers(1, 5),
        },
    ),
    st.fixed_dictionaries({"enum": st.lists(st.integers(0, 3) | st.text(max_size=2), min_size=1)}),
    st.just({"type": ["null", "boolean"]}),
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects, arrays and combinations of schemas."""
    return st.one_of(
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("abcd"), inner),
            },
            optional={
                "required": st.lists(st.sampled_from("abcde"), unique=True),
                "additionalProperties": st.booleans() | inner,
                "minProperties": LIMITS,
                "maxProperties": LIMITS,
            },
        ),
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner},
            optional={"minItems": LIMITS, "maxItems": LIMITS, "uniqueItems": st.booleans()},
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=3)}),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, containers, max_leaves=8))
def test_any_value_that_is_made_is_valid(schema: dict[str, Any]) -> None:
    """Whatever the schema: a valid value, or an error that names the field."""
    made, refused = outcome(schema)
    if refused is None:
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(made)))
    else:
        assert refused.param == "x"


def outcome(schema: dict[str, Any]) -> tuple[Any, ClientError | None]:
    """The value, or the error."""
    try:
        return instance(schema, "x"), None
    except ClientError as error:
        return None, error
