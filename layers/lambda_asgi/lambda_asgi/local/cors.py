"""A function URL's own CORS: preflights that the function never gets, headers on the others.

https://docs.aws.amazon.com/lambda/latest/api/API_Cors.html
"""

from __future__ import annotations

from dataclasses import dataclass

from .http import Incoming


@dataclass(frozen=True, slots=True)
class Cors:
    """The settings of ``FunctionUrlConfig.Cors``; ``*`` stands for anything.

    Args:
        max_age: Seconds for which a browser may keep a preflight's result.
    """

    origins: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int = 0

    def preflight(self, incoming: Incoming) -> list[tuple[str, str]] | None:
        """The headers of the response to a preflight; None if the request is not one."""
        method = incoming.get("access-control-request-method")
        if incoming.method != "OPTIONS" or not method:
            return None
        found = self.response(incoming)
        if not found:
            return []
        found.append(("access-control-allow-methods", _joined(self.methods, method)))
        if requested := incoming.get("access-control-request-headers"):
            found.append(("access-control-allow-headers", _joined(self.headers, requested)))
        if self.max_age:
            found.append(("access-control-max-age", str(self.max_age)))
        return found

    def response(self, incoming: Incoming) -> list[tuple[str, str]]:
        """The headers that Lambda adds to the function's response; none for another origin."""
        origin = incoming.get("origin")
        if not origin or not ({"*", origin} & set(self.origins)):
            return []
        found = [("access-control-allow-origin", origin), ("vary", "Origin")]
        if self.exposed:
            found.append(("access-control-expose-headers", ",".join(self.exposed)))
        if self.credentials:
            found.append(("access-control-allow-credentials", "true"))
        return found


def _joined(allowed: tuple[str, ...], requested: str) -> str:
    return requested if "*" in allowed else ",".join(allowed)
