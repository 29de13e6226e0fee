"""Requests to Anthropic from other dialects are valid, or refused with the field's name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects import provider_types
from tests.dialects.test_legal import to_anthropic
from tokenwire.errors import ClientError
from tokenwire.providers.call_ids import safe
from tokenwire.providers.claude import thinking, version

OLD, NEW = "claude-sonnet-4-5", "claude-opus-5-5"
HI = [{"role": "user", "content": "Hi"}]
FUNCTION = {"name": "f", "arguments": "{}"}
TOOLS = [{"type": "function", "function": {"name": "f"}}]


def call(call_id: str, **more: Any) -> Any:
    """A tool call."""
    return {"id": call_id, "type": "function", "function": FUNCTION, **more}


def called(*calls: Any, content: Any = None) -> list[Any]:
    """Return a conversation with these calls, each with a result."""
    results = [{"role": "tool", "tool_call_id": c["id"], "content": "ok"} for c in calls]
    return [*HI, {"role": "assistant", "content": content, "tool_calls": [*calls]}, *results]


def ask(messages: list[Any], model: str = OLD, **more: Any) -> Any:
    """Translate a Chat request and validate it with anthropic-python's types."""
    found = to_anthropic({"messages": messages, **more}, model)
    provider_types.anthropic(found)
    return found


def test_blank_texts_go() -> None:
    """Blank texts are dropped with turns that become empty; the neighbouring turns are merged."""
    messages = [
        {"role": "system", "content": " "},
        *HI,
        {"role": "assistant", "content": None},
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "x"}]},
    ]
    output = ask(messages)
    assert "system" not in output
    assert output["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "Hi"}, {"type": "text", "text": "x"}],
        }
    ]


def test_empty_result_has_no_content() -> None:
    """A result without content is kept."""
    messages = called(call("c"))
    messages[-1]["content"] = ""
    (result,) = ask(messages, tools=TOOLS)["messages"][2]["content"]
    assert result == {"type": "tool_result", "tool_use_id": "c"}


def test_ids_are_made_safe() -> None:
    """Unsafe ids are replaced in the call and in its result; safe ids are kept."""
    messages = called(call("functions.f:0"), call("c_1-X"))
    _, use, result = ask(messages, tools=TOOLS)["messages"]
    names = [block["id"] for block in use["content"]]
    assert names == [block["tool_use_id"] for block in result["content"]]
    assert names[0] == safe("functions.f:0") != "functions.f:0"
    assert names[1] == "c_1-X"


def test_ids_stay_apart() -> None:
    """Ids that differ only in unsafe characters, or only near the end, stay different."""
    ids = ["a.b", "a:b", "a_b", "x" * 65, "x" * 66, "", "ä", "\ud800"]
    assert len({safe(one) for one in ids}) == len(ids)
    assert all(provider_types.ANTHROPIC_ID.fullmatch(safe(one)) for one in ids)


def test_repeated_ids_are_renamed() -> None:
    """If an id is repeated in later turns, a result belongs to the last turn's call."""
    turn = called(call("call_0"))
    output = ask([*turn, *turn[1:], *turn[1:]], tools=TOOLS)
    uses = [b["id"] for t in output["messages"] for b in t["content"] if b["type"] == "tool_use"]
    results = [
        b["tool_use_id"]
        for t in output["messages"]
        for b in t["content"]
        if b["type"] == "tool_result"
    ]
    assert uses == results
    assert len(set(uses)) == 3


def test_calls_without_tools_get_some() -> None:
    """Tools of earlier calls are declared, and calling them is forbidden."""
    output = ask(called(call("c")))
    assert output["tools"] == [{"name": "f", "input_schema": {"type": "object"}}]
    assert output["tool_choice"] == {"type": "none"}


def test_choice_without_tools_goes() -> None:
    """A blank system prompt is dropped, since Anthropic refuses it."""
    assert "tool_choice" not in ask(HI, tool_choice="auto", parallel_tool_calls=False)


def test_googles_signatures_stay_behind() -> None:
    """Signatures of other providers are dropped."""
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    _, turn, _ = ask(called(call("c", **extra)), tools=TOOLS)["messages"]
    assert [block["type"] for block in turn["content"]] == ["tool_use"]


def test_begun_answer_does_not_end_in_blanks() -> None:
    """For older models a final assistant turn is kept, without trailing white space."""
    output = ask([*HI, {"role": "assistant", "content": "{ \n"}])
    assert output["messages"][-1]["content"] == [{"type": "text", "text": "{"}]
    pictured = [*HI, *called(call("c"))[1:], {"role": "assistant", "content": "so"}]
    assert ask(pictured, tools=TOOLS)["messages"][-1]["role"] == "assistant"


def test_defaults_of_sampling_ask_for_nothing() -> None:
    """Default values of parameters that models since 4.7 refuse are dropped."""
    output = ask(HI, NEW, temperature=1, top_p=1)
    assert not {"temperature", "top_p"} & output.keys()
    assert ask(HI, OLD, temperature=0.2, top_p=1)["temperature"] == 0.2
    assert ask(HI, "claude-3-haiku", temperature=0.2, top_p=0.5)["top_p"] == 0.5


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("claude-opus-4-7", (4, 7)),
        ("claude-opus-4-7-20260416", (4, 7)),
        ("us.anthropic.claude-opus-4-8-v1:0", (4, 8)),
        ("anthropic/claude-opus-4.7", (4, 7)),
        ("claude-sonnet-4-20250514", (4, 0)),
        ("claude-sonnet-4-5@20250929", (4, 5)),
        ("claude-opus-5", (5, 0)),
        ("claude-haiku-5-5", (5, 5)),
        ("claude-mythos-5-2", (5, 2)),
        ("claude-3-5-haiku-latest", (0, 0)),
        ("claude-mythos-preview", (0, 0)),
        ("deepseek-chat", (0, 0)),
    ],
)
def test_versions(model: str, found: tuple[int, int]) -> None:
    """The version is read from providers' forms of the name; a date is not a version."""
    assert version(model) == found


AT = "messages[1]"


@pytest.mark.parametrize(
    ("model", "messages", "more", "param"),
    [
        (NEW, HI, {"temperature": 0.7}, "temperature"),
        (NEW, HI, {"top_p": 0.9}, "top_p"),
        (OLD, HI, {"temperature": 0.7, "top_p": 0.9}, "top_p"),
        (OLD, HI, {"temperature": 1.2}, "temperature"),
        (OLD, HI, {"response_format": {"type": "json_object"}}, "response_format"),
        (
            OLD,
            HI,
            {"response_format": {"type": "json_object"}, "reasoning_effort": "low"},
            "response_format",
        ),
        (OLD, HI, {"stop": ["a", "\n"]}, "stop"),
        (OLD, HI, {"tool_choice": "required"}, "tool_choice"),
        (OLD, [{"role": "system", "content": "x"}], {}, "messages"),
        (OLD, [{"role": "user", "content": " "}], {}, "messages"),
        (
            OLD,
            [{"role": "system", "content": "s"}, {"role": "assistant", "content": "x"}, *HI],
            {},
            f"{AT}.role",
        ),
        (NEW, [*HI, {"role": "assistant", "content": "x"}], {}, f"{AT}.role"),
        (OLD, called(call("c"))[:2], {"tools": TOOLS}, f"{AT}.tool_calls[0]"),
        (
            OLD,
            [*HI, {"role": "tool", "tool_call_id": "c", "content": "x"}],
            {},
            f"{AT}.tool_call_id",
        ),
        (OLD, called(call("c"), call("c")), {}, f"{AT}.tool_calls[1].id"),
    ],
)
def test_what_would_change_its_meaning(
    model: str, messages: list[Any], more: dict[str, Any], param: str
) -> None:
    """Fields that Anthropic refuses are refused before sending, with the caller's field."""
    with pytest.raises(ClientError) as caught:
        to_anthropic({"messages": messages, **more}, model)
    assert caught.value.param == param
    assert caught.value.message.startswith(param)


def test_budget_of_newest_models() -> None:
    """Thinking budgets are refused for models since 4.7 (Anthropic's migration guides)."""
    body = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
    assert thinking(body, OLD) == body["thinking"]
    with pytest.raises(ClientError) as caught:
        thinking(body, NEW)
    assert caught.value.param == "thinking.budget_tokens"
