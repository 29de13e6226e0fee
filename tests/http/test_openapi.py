"""``/openapi.json``: complete, valid, and true of what is answered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from tests.conftest import Serve
from tokenwire.dialects import DIALECTS
from tokenwire.http.schemas_answers import FAILURES, answers

PACKAGE = Path("functions/proxy/tokenwire")
HELLO = {"model": "demo/markdown", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
async def paths(serve: Serve) -> dict[str, Any]:
    """The document."""
    client = await serve(TOKENWIRE_DEMO_PACE="10000")
    found: dict[str, Any] = (await client.get("/openapi.json")).json()
    return found


@pytest.mark.slow
async def test_document_is_valid(paths: dict[str, Any]) -> None:
    """It is valid by the specification's schema, and describes every route and no other."""
    validate(paths)
    documented = {(method, path) for path, ops in paths["paths"].items() for method in ops}
    assert documented == set(answers(DIALECTS))


async def test_streams_and_failures_are_described(paths: dict[str, Any]) -> None:
    """Streaming operations have a stream's content type; failures have the dialect's schema."""
    chat = paths["paths"]["/v1/chat/completions"]["post"]["responses"]
    assert set(chat["200"]["content"]) == {"application/json", "text/event-stream"}
    for path, name in (
        ("/v1/chat/completions", "OpenAIError"),
        ("/v1/responses", "OpenAIError"),
        ("/v1/messages", "AnthropicError"),
        ("/api/chat", "UIError"),
        ("/v1/streams", "EventsError"),
    ):
        responses = paths["paths"][path]["post"]["responses"]
        assert {int(status) for status in responses if int(status) >= 400} == set(FAILURES)
        for status in set(FAILURES) - {431}:
            schema = responses[str(status)]["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{name}"}
    assert "HTTPValidationError" not in str(paths)


async def test_ways_to_authenticate_are_those_of_the_setting(
    paths: dict[str, Any], serve: Serve
) -> None:
    """Each header that may carry a key is described; without keys there is none."""
    schemes = paths["components"]["securitySchemes"]
    assert {scheme.get("name", "bearer") for scheme in schemes.values()} == {
        "bearer",
        "x-api-key",
        "api-key",
    }
    security = paths["paths"]["/v1/models"]["get"]["security"]
    assert security == [*({name: []} for name in schemes), {}]

    client = await serve(TOKENWIRE_AUTH="none")
    without = (await client.get("/openapi.json")).json()
    assert without["components"]["securitySchemes"] == {}
    assert without["paths"]["/v1/models"]["get"]["security"] == [{}]


async def test_message_id_is_described(paths: dict[str, Any]) -> None:
    """The query of ``GET /api/stream`` has ``messageId``, with its characters and its length."""
    parameters = {
        p["name"]: p["schema"] for p in paths["paths"]["/api/stream"]["get"]["parameters"]
    }
    shape = parameters["messageId"]
    assert (shape["type"], shape["minLength"], shape["maxLength"]) == ("string", 1, 255)
    assert shape["pattern"] == "^[A-Za-z0-9._:~-]{1,255}$"


def statuses() -> Iterator[int]:
    """Every status of 400 and more that the source names."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.keyword(arg="status" | "status_code", value=ast.Constant(value=int(n))):
                    yield n
                case ast.Tuple(elts=[ast.Constant(value=str()), ast.Constant(value=int(n)), *_]):
                    yield n
                case ast.Call(args=[ast.Constant(value=str()), ast.Constant(value=int(n)), *_]):
                    yield n  # for example ``Failure("The provider failed.", 502, True)``
                case ast.IfExp(body=ast.Constant(value=int(n))):
                    yield n


def test_every_status_is_described() -> None:
    """The document describes every status of an error response."""
    found = {number for number in statuses() if 400 <= number < 600}
    assert {400, 404, 429, 503, 529} <= found
    assert found - set(FAILURES) == set()


async def test_answers_fit(paths: dict[str, Any], serve: Serve) -> None:
    """Answers and errors are valid by the schema of their operation."""
    client = await serve(TOKENWIRE_DEMO_PACE="10000")
    response = (
        await client.post("/v1/responses", json={"model": "demo/markdown", "input": "Hi"})
    ).json()
    stream = (await client.post("/v1/streams", json={"message": "Hi"})).json()["id"]
    calls: list[tuple[str, str, str, Any]] = [
        ("post", "/v1/chat/completions", "", HELLO),
        ("post", "/v1/chat/completions", "", {}),
        ("post", "/v1/messages", "", {**HELLO, "max_tokens": 9}),
        ("post", "/v1/messages", "", {**HELLO, "max_tokens": "x"}),
        ("post", "/v1/responses", "", {"model": "demo/markdown", "input": "Hi"}),
        ("post", "/v1/responses", "", {"model": "unknown/m", "input": "Hi"}),
        ("post", "/api/chat", "", {"messages": []}),
        ("post", "/api/chat/{chat_id}/stop", "/api/chat/unknown/stop", None),
        ("post", "/api/stream", "", {"message": 5}),
        ("post", "/v1/streams", "", {"message": "Hi"}),
        ("post", "/v1/streams/{stream_id}/ticket", f"/v1/streams/{stream}/ticket", None),
        ("post", "/v1/streams/{stream_id}/cancel", f"/v1/streams/{stream}/cancel", None),
        ("get", "/v1/responses/{response_id}", f"/v1/responses/{response['id']}", None),
        ("get", "/v1/responses/{response_id}", "/v1/responses/unknown", None),
        (
            "get",
            "/v1/responses/{response_id}/input_items",
            f"/v1/responses/{response['id']}/input_items",
            None,
        ),
        ("get", "/v1/models", "", None),
        ("get", "/v1/models/{model}", "/v1/models/demo/markdown", None),
        ("get", "/v1/models/{model}", "/v1/models/unknown/m", None),
        ("get", "/healthz", "", None),
        ("get", "/readyz", "", None),
    ]
    for method, path, url, body in calls:
        answer = await client.request(method.upper(), url or path, json=body)
        described = paths["paths"][path][method]["responses"][str(answer.status_code)]
        schema = described["content"]["application/json"]["schema"]
        whole = {**schema, "components": paths["components"]}
        problems = [
            error.message for error in Draft202012Validator(whole).iter_errors(answer.json())
        ]
        assert problems == [], (path, answer.status_code)
