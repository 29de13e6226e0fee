"""The page of settings: types and defaults from the code, descriptions from ``docs/operate.md``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, inspect

from scripts.site.tables import rows, section
from scripts.site.types import default_of, name_of
from tokenwire.registries import Registries
from tokenwire.settings import PREFIX, ModelSettings, Settings

_INTRODUCTION = f"""# Settings

A setting is an environment variable with the prefix `{PREFIX}`, or a top-level key of
`tokenwire.toml`. [Running tokenwire](../operate.md#settings) states which of them counts if both
are set.
"""
_NOT_VARIABLES = {"auth_options", "models", "providers"}


def settings_page(operate: str) -> str:
    """Return the page.

    Raises:
        ValueError: A setting has no row in the table of ``docs/operate.md``.
    """
    described = dict(_descriptions(operate))
    fields = _fields(Settings)
    missing = sorted({field.name for field in fields} - set(described) - _NOT_VARIABLES)
    if missing:
        raise ValueError(f"docs/operate.md does not describe {', '.join(missing)}")
    sections = [_section(field, described.get(field.name, "")) for field in fields]
    return "\n".join([_INTRODUCTION, *sections, _table_of("`[models]`", ModelSettings), *_kinds()])


def _descriptions(operate: str) -> Iterator[tuple[str, str]]:
    for names, _, text in rows(section(operate, "Settings")):
        for name in re.findall(r"`(\w+)`", names):
            yield name, text


def _fields(struct: type[Struct]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    return found.fields


def _section(field: inspect.Field, text: str) -> str:
    variable = (
        "in `tokenwire.toml` only"
        if field.name in _NOT_VARIABLES
        else f"`{PREFIX}{field.name.upper()}`"
    )
    text = text[:1].upper() + text[1:].rstrip(".")
    facts = f"{variable} · {name_of(field.type)} · default {default_of(field)}"
    return (
        f"## `{field.name}` {{ #{field.name} }}\n\n{facts}\n\n{_moved(text)}{'.' if text else ''}\n"
    )


def _moved(text: str) -> str:
    """Return a text whose links are relative to this page, one folder below ``operate.md``."""
    text = text.replace("](#", "](operate.md#")
    return re.sub(r"\]\((?!https?:)(?=\w)", "](../", text)


def _kinds() -> Iterator[str]:
    """Yield a section for each kind of provider of this package."""
    for kind in Registries.load().providers.values():
        yield _table_of(f'`[providers.NAME]` with `kind = "{kind.name}"`', kind.settings)


def _table_of(title: str, struct: type[Struct]) -> str:
    lines = [f"| `{f.name}` | {name_of(f.type)} | {default_of(f)} |" for f in _fields(struct)]
    return "\n".join(
        [f"## {title}", "", "| Key | Type | Default |", "| --- | --- | --- |", *lines, ""]
    )
