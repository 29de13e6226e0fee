"""Any valid Chat request becomes a valid request to Anthropic, Bedrock and Gemini, or is refused.

The providers' own types decide (``provider_types``). The conversations are those that OpenAI
accepts: consecutive turns of one role, blank texts, any ids, results out of order or empty.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dialects import provider_types
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.origins import caused_by
from tokenwire.errors import ClientError
from tokenwire.providers.anthropic import request as anthropic_request
from tokenwire.providers.bedrock import request as converse_request
from tokenwire.providers.gemini import request as gemini_request
from tokenwire.providers.messages_from_chat import from_chat

BLANK = st.sampled_from(["", " ", "\n\t ", "\u3000"])
TEXT = BLANK | st.text(max_size=8) | st.sampled_from(["Hi", "Grüße", "{}"])
PNG = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
PARTS = st.builds(lambda text: {"type": "text", "text": text}, TEXT) | st.just(PNG)
CONTENT = TEXT | st.lists(PARTS, max_size=3)
IDS = st.text(max_size=70) | st.sampled_from(["call_0", "call_1", "functions.f:0", "x" * 64])
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 0.7, 1, 1.3, 2]),
        "top_p": st.sampled_from([0.1, 1]),
        "stop": st.sampled_from(["END", ["a", "b"], []]),
        "max_completion_tokens": st.integers(1, 9),
        "user": st.text(max_size=300),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "high", "xhigh"]),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            ]
        ),
    },
)
TOOL = {"name": "f", "description": "", "parameters": {}}
TOOLS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {},
        {"tools": []},
        {"tools": [{"type": "function", "function": TOOL}]},
        {"tools": [{"type": "function", "function": {"name": "g"}}], "tool_choice": "none"},
        {"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required"},
    ]
)


@st.composite
def turns(draw: st.DrawFn) -> list[Any]:
    """Draw a conversation: turns of any role in any order, each call followed by its result."""
    found: list[Any] = draw(st.lists(st.just({"role": "system", "content": "s"}), max_size=2))
    for role in draw(st.lists(st.sampled_from(["user", "user", "assistant", "calls"]), max_size=6)):
        if role == "calls":
            found += draw(_calls(len(found)))
        else:
            content = draw(CONTENT if role == "user" else TEXT)
            found.append({"role": role, "content": content})
    return found or [{"role": "user", "content": "Hi"}]


@st.composite
def _calls(draw: st.DrawFn, at: int) -> list[Any]:
    ids = draw(st.lists(IDS, min_size=1, max_size=3, unique=True))
    calls = [
        {
            "id": call,
            "type": "function",
            "function": {"name": "f", "arguments": json.dumps({"n": f"{at}.{n}"})},
        }
        for n, call in enumerate(ids)
    ]
    content = draw(st.none() | TEXT)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": draw(TEXT | st.just([]))}
        for call in draw(st.permutations(calls))
    ]
    return [{"role": "assistant", "content": content, "tool_calls": calls}, *results]


def to_anthropic(body: Any, model: str) -> Any:
    """As the provider does it."""
    translated = from_chat(body, model)
    with caused_by(translated):
        return anthropic_request.request(translated, model)


def to_converse(body: Any, model: str) -> Any:
    """As the provider does it."""
    translated = from_chat(body, model)
    with caused_by(translated):
        return converse_request.request(translated, model)


def to_gemini(body: Any, model: str) -> Any:
    """As the provider does it."""
    translated = from_chat(body, model)
    with caused_by(translated):
        return gemini_request.request(translated, model)


Translate = Callable[[Any, str], Any]
TARGETS: dict[str, tuple[Translate, Callable[[Any], None], str]] = {
    "anthropic": (to_anthropic, provider_types.anthropic, "claude-sonnet-4-5"),
    "anthropic, newest": (to_anthropic, provider_types.anthropic, "claude-opus-5-5"),
    "converse": (to_converse, provider_types.converse, "anthropic.claude-sonnet-4-5-v1:0"),
    "converse, another's": (to_converse, provider_types.converse, "amazon.nova-pro-v1:0"),
    "gemini": (to_gemini, provider_types.gemini, "gemini-3-pro"),
}
targets = pytest.mark.parametrize("target", TARGETS)


def spoken(messages: list[Any]) -> list[Any]:
    """Return the turns with content, except system messages."""
    return [m for m in messages if m["role"] != "system" and (_says(m) or m.get("tool_calls"))]


def _says(message: Any) -> bool:
    content = message["content"]
    if message["role"] == "tool":
        return True
    if isinstance(content, list):
        return any(p["type"] != "text" or p["text"].strip() for p in content)
    return bool((content or "").strip())


def may_be_refused(target: str, body: Any) -> set[str]:
    """Return the fields that this provider may refuse; if it were all, the test would be empty."""
    found = spoken(body["messages"])
    if not found:
        return {"messages"}
    # A message may be there twice: the first is the first of its kind, the last the last.
    first = body["messages"].index(found[0])
    last = len(body["messages"]) - 1 - body["messages"][::-1].index(found[-1])
    refused = {f"messages[{first}].role"} if found[0]["role"] == "assistant" else set()
    refused |= {"response_format"} - ({"response_format"} if target == "gemini" else set())
    if target != "gemini":
        refused |= {"temperature", "top_p"}
    if "newest" in target and found[-1]["role"] == "assistant":
        refused |= {f"messages[{n}].role" for n in range(last + 1)}
    return refused | ({"reasoning_effort"} if "another's" in target else set())


@targets
@settings(max_examples=150, deadline=None)
@given(messages=turns(), options=OPTIONS, tools=TOOLS)
@pytest.mark.slow
def test_requests_are_taken(
    target: str, messages: list[Any], options: dict[str, Any], tools: dict[str, Any]
) -> None:
    """The request is valid and has all texts, or is refused with a field's name."""
    translate, judge, model = TARGETS[target]
    body = DIALECTS["chat"].parse({"model": "m", "messages": messages, **options, **tools}).body
    try:
        sent = translate(body, model)
    except ClientError as error:
        refused = error.param
    else:
        refused = None
    if refused is not None:
        assert refused in may_be_refused(target, body)
        return
    judge(json.loads(json.dumps(sent)))
    wire = json.dumps(sent, ensure_ascii=False)
    for call in (call for m in messages for call in m.get("tool_calls", ())):
        assert json.loads(call["function"]["arguments"])["n"] in wire
    for text in texts(messages):
        assert json.dumps(text, ensure_ascii=False)[1:-1] in wire


def texts(messages: list[Any]) -> list[str]:
    """Return all texts that are not blank, without trailing white space of prefills."""
    found: list[str] = []
    for message in messages:
        content = message["content"] or ""
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        found += [p["text"].rstrip() for p in parts if p["type"] == "text" and p["text"].strip()]
    return found


@targets
@settings(max_examples=50, deadline=None)
@given(calls=_calls(1))
def test_results_stay_with_their_calls(target: str, calls: list[Any]) -> None:
    """Results belong to their own calls, with any ids and in any order."""
    translate, _, model = TARGETS[target]
    for result in calls[1:]:
        result["content"] = f"result of {result['tool_call_id']!r}"
    body = {"messages": [{"role": "user", "content": "Hi"}, *calls]}
    sent = json.dumps(translate(body, model)).replace("toolUseId", "id")
    sent = sent.replace("tool_use_id", "id")
    for call in calls[0]["tool_calls"]:
        number = sent.index(json.loads(call["function"]["arguments"])["n"])
        result = sent.index(json.dumps(f"result of {call['id']!r}")[1:-1])
        assert _id_near(sent, number) == _id_near(sent, result)


def _id_near(sent: str, at: int) -> str:
    """Return the last id before this position."""
    return sent[:at].rpartition('"id": "')[2].partition('"')[0]


THOUGHTS = st.sampled_from(
    [
        {"type": "thinking", "thinking": "hm", "signature": "claudes"},
        {"type": "thinking", "thinking": "", "signature": "google:c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": " "},
    ]
)


@st.composite
def messages_body(draw: st.DrawFn) -> Any:
    """Draw a Messages request with such a conversation and signed reasoning of any provider."""
    tools: dict[str, Any] = draw(TOOLS)
    chat: dict[str, Any] = {"messages": draw(turns()), **tools}
    body = json.loads(json.dumps(from_chat(chat, "m")))
    for turn in body["messages"]:
        if turn["role"] == "assistant":
            turn["content"] = [*draw(st.lists(THOUGHTS, max_size=2)), *turn["content"]]
    return body


DIRECT: dict[str, tuple[Translate, Callable[[Any], None], str]] = {
    "converse": (converse_request.request, provider_types.converse, "anthropic.claude-x"),
    "gemini": (gemini_request.request, provider_types.gemini, "gemini-3-pro"),
}


@pytest.mark.parametrize("target", DIRECT)
@settings(max_examples=150, deadline=None)
@given(body=messages_body())
@pytest.mark.slow
def test_messages_requests_are_taken(target: str, body: Any) -> None:
    """The same holds for Messages requests with signed reasoning."""
    translate, judge, model = DIRECT[target]
    try:
        sent = translate(body, model)
    except ClientError as error:
        refused = error.param or ""
    else:
        refused = ""
        judge(json.loads(json.dumps(sent)))
        wire = json.dumps(sent)
        assert "google:" not in wire
        assert ("claudes" in wire) <= (target == "converse")
    first = next((t for t in body["messages"] if _speaks(t["content"], target)), None)
    if first is not None and first["role"] == "user":
        assert not refused


def _speaks(content: Any, target: str) -> bool:
    return any(
        block["type"] in ("image", "tool_use", "tool_result")
        or (block["type"] == "text" and block["text"].strip())
        or (block["type"] in ("thinking", "redacted_thinking") and _is_kept(block, target))
        for block in content
    )


def _is_kept(block: Any, target: str) -> bool:
    is_googles = block.get("signature", "").startswith("google:")
    return bool(block.get("thinking", "hidden")) and is_googles is (target == "gemini")
