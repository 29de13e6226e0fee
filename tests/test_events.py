"""The vocabulary: values, frozen, with defaults that say nothing."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from tokenwire.events import (
    Citation,
    Content,
    Error,
    Event,
    Finish,
    Reasoning,
    Start,
    ToolCall,
    Usage,
)

ONE_OF_EACH: list[Event] = [
    Start("id", "model"),
    Content("x"),
    Reasoning("x"),
    Citation("https://a.test"),
    ToolCall(0),
    Usage(1, 2),
    Finish("stop"),
    Error("lost", "It is gone."),
]


def test_eight_words() -> None:
    """The union names every kind of event there is."""
    assert [type(event) for event in ONE_OF_EACH] == list(get_args(Event))


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_events_are_frozen_values(event: Event) -> None:
    """Equal by what they say, hashable, not to be changed, and light."""
    first = fields(event)[0].name
    with pytest.raises(FrozenInstanceError):
        setattr(event, first, "other")
    assert not hasattr(event, "__dict__")
    assert len({event, type(event)(*(getattr(event, f.name) for f in fields(event)))}) == 1


def test_defaults_are_the_usual_case() -> None:
    """One choice, no refusal, nothing cached, no way to try again."""
    assert Content("x") == Content("x", choice=0, refusal=False)
    assert Usage(1, 2) == Usage(1, 2, cached_tokens=0, reasoning_tokens=0)
    assert not Error("lost", "It is gone.").retryable
