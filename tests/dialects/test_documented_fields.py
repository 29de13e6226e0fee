"""The tables of ``docs/clients.md`` are those of the translators."""

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
def test_fates_of_fields_are_documented(dialect: str, fields: Fields) -> None:
    """Each field that is carried or left out, and no other."""
    row = [line for line in TEXT.splitlines() if line.startswith(f"| `{dialect}` | `")][-1]
    carried, left_out = (re.findall(r"`(\w+)`", cell) for cell in row.split("|")[2:4])
    assert sorted(fields.carried) == sorted(carried)
    assert sorted(fields.no_effect) == sorted(left_out)


def test_what_chat_loses_is_documented() -> None:
    """In front of the APIs that are not of OpenAI's kind."""
    said = TEXT.partition("own API and Bedrock, what is left out is ")[2].partition(".")[0]
    assert sorted(re.findall(r"`(\w+)`", said)) == sorted(NO_EFFECT)
