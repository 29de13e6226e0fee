"""Types and defaults of msgspec's fields, in words."""

from __future__ import annotations

from msgspec import NODEFAULT, inspect

_NAMES: dict[type[inspect.Type], str] = {
    inspect.StrType: "text",
    inspect.BoolType: "`true` or `false`",
    inspect.NoneType: "nothing",
    inspect.AnyType: "any value",
}
_LIMITS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def name_of(kind: inspect.Type) -> str:
    """Return a type in words, with its limits."""
    match kind:
        case inspect.IntType() | inspect.FloatType():
            return _number(kind)
        case inspect.LiteralType(values=values):
            return "one of " + ", ".join(f"`{value}`" for value in sorted(map(str, values)))
        case inspect.UnionType(types=types):
            return " or ".join(
                name_of(one) for one in types if not isinstance(one, inspect.NoneType)
            )
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item):
            return f"list of {name_of(item)}"
        case inspect.DictType(value_type=value):
            return f"table of {name_of(value)}"
        case inspect.StructType(cls=cls):
            return f"table ({cls.__name__})"
    return _NAMES.get(type(kind), "text")


def _number(kind: inspect.IntType | inspect.FloatType) -> str:
    limits = [
        f"{sign} {limit:,}" for name, sign in _LIMITS if (limit := getattr(kind, name)) is not None
    ]
    name = "integer" if isinstance(kind, inspect.IntType) else "number"
    return " ".join([name, " and ".join(limits)]).strip()


def default_of(field: inspect.Field) -> str:
    """Return the default of a field in words; sizes and durations as numbers."""
    if field.required:
        return "none: it is required"
    if field.default is NODEFAULT or field.default in (None, "", ()):
        return "empty"
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
