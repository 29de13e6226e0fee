"""The tables in ``docs/clients.md`` match the translators."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tokenwire.dialects.carry import Fields
from tokenwire.dialects.messages import request as messages_to_chat
from tokenwire.dialects.responses import request as responses_to_chat
from tokenwire.dialects.ui import request as ui_to_chat
from tokenwire.providers.messages_from_chat import NO_EFFECT

TEXT = Path("docs/clients.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("dialect", "fields"),
    [
        ("messages", messages_to_chat.FIELDS),
        ("responses", responses_to_chat.FIELDS),
        ("ui", ui_to_chat.FIELDS),
    ],
)
def test_translated_and_ignored_fields_are_documented(dialect: str, fields: Fields) -> None:
    """The tables list exactly the fields that are translated or ignored."""
    row = [line for line in TEXT.splitlines() if line.startswith(f"| `{dialect}` | `")][-1]
    translated, ignored = (re.findall(r"`(\w+)`", cell) for cell in row.split("|")[2:4])
    assert sorted(fields.carried) == sorted(translated)
    assert sorted(fields.no_effect) == sorted(ignored)


def test_ignored_fields_of_chat_are_documented() -> None:
    """The list is that of the translation to Messages, for providers without a Chat API."""
    fields = TEXT.partition("native API and Bedrock, these are ignored: ")[2].partition(".")[0]
    assert sorted(re.findall(r"`(\w+)`", fields)) == sorted(NO_EFFECT)
