"""Validate JSON values against an SDK's ``TypedDict``s, including unknown fields.

pydantic reads them too, but takes unknown fields, and reads ``Iterable``s in unions only once.
"""

from __future__ import annotations

import collections.abc
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from typing_extensions import is_typeddict as is_typeddict_too

_PLAIN: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (int, float),
    bool: (bool,),
    NoneType: (NoneType,),
    object: (object,),
}


def fits(value: Any, hint: Any) -> bool:
    """Whether the value is of this type."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, choice) for choice in args)
    if origin is Literal:
        return value in args
    if origin in (list, collections.abc.Iterable, collections.abc.Sequence):
        return isinstance(value, list) and all(fits(item, args[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(item, args[1]) for item in value.values())
    if is_typeddict(hint) or is_typeddict_too(hint):
        return isinstance(value, dict) and _fields_fit(value, hint)
    if isinstance(value, bool) and hint not in (bool, object):
        return False
    return isinstance(value, _PLAIN.get(hint, ()))


def _fields_fit(value: dict[str, Any], hint: Any) -> bool:
    hints = get_type_hints(hint, include_extras=True)
    required = {name for name, kind in hints.items() if get_origin(kind) is Required}
    return required <= value.keys() <= hints.keys() and all(
        fits(item, _bare(hints[name])) for name, item in value.items()
    )


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) in (Required, NotRequired) else kind
