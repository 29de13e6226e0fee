"""The kind ``demo``: answers without a key or a network, for a first look and for tests."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ..kind import Dependencies, ProviderKind
from ..protocol import Provider
from ..settings import ProviderSettings

Pace = Annotated[float, Meta(gt=0)]
"""Tokens per second."""


class DemoSettings(ProviderSettings, frozen=True, kw_only=True):
    """Settings of the demo; the settings ``demo`` and ``demo_pace`` are a shorter way to them.

    Args:
        pace: Tokens per second.
    """

    kind: str = "demo"
    pace: Pace = 40.0


def _create(name: str, settings: DemoSettings, _: Dependencies) -> Provider:
    from .provider import Demo

    return Demo(settings.pace, name)


DEMO = ProviderKind(
    name="demo",
    settings=DemoSettings,
    create=_create,
    prefers=("markdown",),
    is_stand_in=True,
)
