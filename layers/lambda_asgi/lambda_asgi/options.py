"""The options of a handler that concern HTTP: base path, text types, excluded headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaConfig

from .types import Scope


@dataclass(frozen=True, slots=True)
class Options:
    """How events become scopes, and responses become payloads.

    Args:
        base_path: The path under which the app is mounted, without a final slash; empty for none.
        text_types: The content types that a buffered response sends as text, not as base64.
        excluded: The names, in lower case, of response headers that are not sent.
    """

    base_path: str
    text_types: tuple[str, ...]
    excluded: frozenset[str]

    @classmethod
    def of(
        cls,
        api_gateway_base_path: str,
        text_mime_types: Iterable[str] | None,
        exclude_headers: Iterable[str],
    ) -> Options:
        """Read the arguments of ``Handler``, which have Mangum's names."""
        base = api_gateway_base_path.strip("/")
        text_types = DEFAULT_TEXT_MIME_TYPES if text_mime_types is None else text_mime_types
        excluded = frozenset(name.lower() for name in exclude_headers)
        return cls(f"/{base}" if base else "", tuple(text_types), excluded)

    @property
    def config(self) -> LambdaConfig:
        """Mangum's configuration. It strips no path and excludes no header: that is done here."""
        return LambdaConfig(
            api_gateway_base_path="/", text_mime_types=[*self.text_types], exclude_headers=[]
        )

    def mount(self, scope: Scope) -> None:
        """Set ``root_path`` where the path lies under the base path.

        ``path`` keeps the prefix, as ASGI has it, so that the URLs which a framework makes are
        those that the client can reach.
        """
        if self.base_path and f"{scope['path']}/".startswith(f"{self.base_path}/"):
            scope["root_path"] = self.base_path

    def without_excluded(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of a buffered response's JSON payload without the excluded headers."""
        kept = dict(payload)
        for field in ("headers", "multiValueHeaders"):
            if field in kept:
                kept[field] = {
                    k: v for k, v in kept[field].items() if k.lower() not in self.excluded
                }
        if "set-cookie" in self.excluded:
            kept.pop("cookies", None)
        return kept
