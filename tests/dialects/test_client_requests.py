"""All kinds of providers accept recorded requests of real clients, with listed exceptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tokenwire import provision
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import ParsedRequest, as_event
from tokenwire.dialects.responses.references import is_reference
from tokenwire.errors import ClientError
from tokenwire.gateway.catalog import Route
from tokenwire.gateway.prepare import candidate
from tokenwire.plugins import published
from tokenwire.providers.registry import load_provider_kinds
from tokenwire.providers.settings import ProviderSettings
from tokenwire.secrets import Secrets
from tokenwire.settings import Settings

FOLDER = Path(__file__).parent / "requests"
PATHS = {
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/chat/completions": "chat",
}
KINDS = load_provider_kinds(published())
# The client, the field, and the kinds of providers that have no counterpart.
REFUSED = {
    ("ai_sdk", "response_format"): {"anthropic", "bedrock"},
    ("instructor", "response_format"): {"anthropic", "bedrock"},
}


def recorded() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the client, the dialect and the body of each request."""
    for file in sorted(FOLDER.glob("*.json")):
        for request in json.loads(file.read_text(encoding="utf-8")):
            yield file.stem, PATHS[request["path"]], request["body"]


def parsed(dialect: str, body: dict[str, Any]) -> ParsedRequest:
    """Return the request with references replaced by items."""
    items = body.get("input")
    if isinstance(items, list):
        item = {"type": "message", "role": "assistant", "content": "x"}
        body = {**body, "input": [item if is_reference(one) else one for one in items]}
    return DIALECTS[dialect].parse(body)


def every_kind() -> dict[str, Any]:
    """Return one provider of each kind; none is called."""
    settings: dict[str, ProviderSettings] = {
        name: kind.settings(kind=name) for name, kind in KINDS.items()
    }
    return provision.providers(Settings(providers=settings), Secrets({}), KINDS)


def refusals(request: ParsedRequest) -> Iterator[tuple[str, ClientError]]:
    """Return the kinds of providers that cannot take the request, with the reasons."""
    for name, provider in every_kind().items():
        model = "anthropic.claude" if name == "bedrock" else "m"
        try:
            candidate(DIALECTS, Route(provider, model), request)
        except ClientError as error:
            yield name, error


@pytest.mark.parametrize(("client", "dialect", "body"), list(recorded()))
def test_request_reaches_every_provider(client: str, dialect: str, body: dict[str, Any]) -> None:
    """Each request is translated without an error, or refused for a listed reason."""
    for name, error in refusals(parsed(dialect, body)):
        is_listed = name in REFUSED.get((client, error.param or ""), ())
        assert is_listed or error.code == "thread_unsupported_request", (name, error.message)


def test_list_of_refusals_is_no_longer_than_it_must_be() -> None:
    """Each listed exception still applies."""
    found: dict[tuple[str, str], set[str]] = {}
    for client, dialect, body in recorded():
        for name, error in refusals(parsed(dialect, body)):
            if error.code != "thread_unsupported_request":
                found.setdefault((client, error.param or ""), set()).add(name)
    assert found == REFUSED


def test_message_threads_are_refused_as_the_sdks_expect() -> None:
    """A thread is refused with the code after which Anthropic's tool runners work without one."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    request = parsed("messages", {**body, "thread": {"type": "create"}})
    with pytest.raises(ClientError) as caught:
        candidate(DIALECTS, Route(every_kind()["openai"], "m"), request)
    error = DIALECTS["messages"].error_body(as_event(caught.value))["error"]
    assert error["details"] == {
        "error_code": "thread_unsupported_request",
        "unsupported": ["thread"],
    }
    candidate(
        DIALECTS, Route(every_kind()["openai"], "m"), parsed("messages", {**body, "thread": None})
    )
