"""The published schema of a request is the one used for validation."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from msgspec import Struct

from tests.dialects.test_client_requests import recorded
from tests.dialects.test_request_fuzz import RICH, bodies
from tokenwire.dialects.chat import schema as chat
from tokenwire.dialects.events import schema as events
from tokenwire.dialects.messages import schema as messages
from tokenwire.dialects.responses import schema as responses
from tokenwire.dialects.schema import check
from tokenwire.dialects.schema.document import json_schema
from tokenwire.dialects.ui import schema as ui
from tokenwire.errors import ClientError

KINDS: dict[str, type[Struct]] = {
    "chat": chat.Request,
    "messages": messages.Request,
    "responses": responses.Request,
    "ui": ui.Request,
    "events": events.Request,
}
# For JSON Schema 2.0 is an integer. tokenwire and OpenAI's API refuse it, as a decimal number.
_STRICT = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)
VALIDATORS = {name: _STRICT(json_schema(kind)) for name, kind in KINDS.items()}


@pytest.mark.parametrize("name", KINDS)
def test_schema_is_one_and_stands_alone(name: str) -> None:
    """The schema is valid JSON Schema without references."""
    Draft202012Validator.check_schema(VALIDATORS[name].schema)
    assert "$ref" not in str(VALIDATORS[name].schema)


@pytest.mark.parametrize(
    ("dialect", "body"), [*RICH, *((dialect, body) for _, dialect, body in recorded())]
)
def test_real_requests_fit(dialect: str, body: dict[str, Any]) -> None:
    """The schema accepts the same bodies, except for objects of an unknown type."""
    known = copy.deepcopy(body)
    if isinstance(known.get("tools"), list):
        known["tools"] = [
            tool for tool in known["tools"] if tool.get("type") not in ("web_search", "tool_search")
        ]
    errors = [error.message for error in VALIDATORS[dialect].iter_errors(known)]
    assert errors == []


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies())
def test_what_fits_is_taken(case: tuple[str, dict[str, Any]]) -> None:
    """A body that the schema allows is never refused by the check."""
    dialect, body = case
    if VALIDATORS[dialect].is_valid(body):
        try:
            check(body, KINDS[dialect])
        except ClientError as error:
            pytest.fail(error.message)
