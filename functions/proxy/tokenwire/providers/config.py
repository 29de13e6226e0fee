"""How to reach a provider that takes a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .protocol import Key


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach one place.

    Args:
        base_url: Another address than the provider's own; with ``/v1`` for those that are
            reached through OpenAI's SDK, without for the others.
        connect_timeout: Seconds. Reading has no limit here: the pump keeps those.
        max_retries: Before the answer begins, on 408, 409, 429, 5xx and broken connections.
        headers: Sent with every request.
        query: Added to every URL (Azure's ``api-version``).
        secret_headers: Headers whose values are secrets; asked for with every request.
        secret_query: The same for the URL.
        sdk: Whether requests go through the provider's own SDK, where there is one.
        models: What to list, where the place should not be asked.
    """

    base_url: str | None = None
    connect_timeout: float = 10.0
    max_retries: int = 2
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: Mapping[str, Key] = field(default_factory=dict)
    secret_query: Mapping[str, Key] = field(default_factory=dict)
    sdk: bool = True
    models: Sequence[str] = ()
