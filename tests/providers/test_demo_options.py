"""The demo model honours the fields of a chat request that shape an answer."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.providers.test_demo import body, complete, text
from tokenwire.errors import ClientError
from tokenwire.providers.demo import answers
from tokenwire.sse import Splitter

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time", "parameters": None}}


async def chunks(prompt: str, **more: Any) -> list[dict[str, Any]]:
    """The chunks of an answer."""
    blocks = Splitter().feed(await body(prompt, **more))
    return [json.loads(block[6:]) for block in blocks[:-1]]


async def calls(prompt: str, **more: Any) -> list[tuple[str, Any]]:
    """The tools that are called, with their arguments."""
    found = await complete(prompt, **more)
    choice = found["choices"][0]
    made = choice["message"].get("tool_calls", ())
    assert choice["finish_reason"] == ("tool_calls" if made else "stop")
    assert len({call["id"] for call in made}) == len(made)
    return [(c["function"]["name"], json.loads(c["function"]["arguments"])) for c in made]


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_the_limit_ends_the_answer(field: str) -> None:
    """No more tokens than that, `length` as the reason, and the usage says the same."""
    limit: dict[str, Any] = {field: 3}
    found = await complete("hi", **limit)
    assert found["choices"][0]["finish_reason"] == "length"
    assert answers.HELLO.startswith(found["choices"][0]["message"]["content"])
    assert found["usage"]["completion_tokens"] == 3


async def test_an_answer_that_fits_the_limit_is_whole() -> None:
    """The limit itself is allowed."""
    size = (await complete("hi"))["usage"]["completion_tokens"]
    assert (await complete("hi", max_tokens=size))["choices"][0]["finish_reason"] == "stop"
    assert (await complete("hi", max_tokens=size - 1))["choices"][0]["finish_reason"] == "length"


async def test_reasoning_counts_against_the_limit() -> None:
    """A limit that is spent on reasoning leaves nothing for the answer."""
    found = await complete("hi /reason", max_tokens=2)
    assert found["choices"][0]["message"]["content"] == ""
    assert found["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}
    assert found["usage"]["completion_tokens"] == 2


async def test_usage_adds_up() -> None:
    """Each delta with text is a token; the prompt is measured in all its messages."""
    received = await chunks("hi /reason")
    usage = received[-1]["usage"]
    deltas = [c["choices"][0]["delta"] for c in received[:-1] if c["choices"]]
    streamed = [d for d in deltas if d and "role" not in d]
    assert usage["completion_tokens"] == len(streamed)
    thought = [d for d in streamed if "reasoning_content" in d]
    assert usage["completion_tokens_details"]["reasoning_tokens"] == len(thought)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    longer = await chunks("hi /reason", then=[{"role": "assistant", "content": "x" * 400}])
    assert longer[-1]["usage"]["prompt_tokens"] == usage["prompt_tokens"] + 100


async def test_stop_ends_the_answer_before_it() -> None:
    """A text, or the first to come of several; it is not part of the answer."""
    assert await text("hi", stop="one token") == answers.HELLO.partition("one token")[0]
    assert await text("hi", stop=["Reload", "**"]) == answers.HELLO.partition("**")[0]
    assert await text("hi", stop=["", "not in it"]) == answers.HELLO
    assert (await complete("hi", stop="one"))["choices"][0]["finish_reason"] == "stop"


async def test_n_answers() -> None:
    """As many choices as requested, each complete, all of them in the usage."""
    found = await complete("hi", n=3)
    assert [c["index"] for c in found["choices"]] == [0, 1, 2]
    assert {c["message"]["content"] for c in found["choices"]} == {answers.HELLO}
    assert found["usage"]["completion_tokens"] % 3 == 0


async def test_logprobs() -> None:
    """Each token of the content has its probability, and as many alternatives as requested."""
    choice = (await complete("hi", logprobs=True, top_logprobs=2))["choices"][0]
    entries = choice["logprobs"]["content"]
    assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
    for entry in entries:
        assert bytes(entry["bytes"]).decode() == entry["token"]
        assert len(entry["top_logprobs"]) == 2
        assert entry["top_logprobs"][0]["logprob"] == entry["logprob"] <= 0
    refused = (await complete("/refuse", logprobs=True))["choices"][0]["logprobs"]
    assert refused["refusal"][0]["top_logprobs"] == []
    assert (await complete("hi"))["choices"][0]["logprobs"] is None


async def test_json_object() -> None:
    """The answer is an object with the answer in it."""
    found = json.loads(await text("hi", response_format={"type": "json_object"}))
    assert found == {"answer": answers.HELLO.split("\n")[0]}
    assert await text("hi", response_format={"type": "text"}) == answers.HELLO


async def test_json_schema() -> None:
    """The answer is valid for the schema, also after a tool has answered."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
        "required": ["name", "age"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    jsonschema.validate(json.loads(await text("hi", response_format=form)), schema)
    results = [{"role": "tool", "content": "x"}]
    jsonschema.validate(json.loads(await text("hi", then=results, response_format=form)), schema)
    assert await text("hi", response_format={"type": "json_schema", "json_schema": {}}) == "{}"
    # A refusal takes the place of the structured answer.
    assert (await complete("/refuse", response_format=form))["choices"][0]["message"]["refusal"]


async def test_required_tools_are_called() -> None:
    """Those that the prompt mentions, or the first; with arguments of the tool's schema."""
    tools = [TIME, WEATHER]
    called = await calls("the weather", tools=tools, tool_choice="required")
    assert called == [("get_weather", {"city": "Bielefeld", "days": 1})]
    called = await calls("anything", tools=tools, tool_choice="required")
    assert called == [("get_time", {})]


async def test_several_tools_are_called_at_once() -> None:
    """All that the prompt mentions, unless parallel calls are off."""
    prompt, tools = "weather and time", [WEATHER, TIME]
    both = await calls(prompt, tools=tools, tool_choice="required")
    assert [name for name, _ in both] == ["get_weather", "get_time"]
    one = await calls(prompt, tools=tools, tool_choice="required", parallel_tool_calls=False)
    assert [name for name, _ in one] == ["get_weather"]


async def test_a_named_tool_is_called() -> None:
    """That one, whatever the prompt says."""
    choice = {"type": "function", "function": {"name": "get_time"}}
    assert await calls("weather", tools=[WEATHER, TIME], tool_choice=choice) == [("get_time", {})]


async def test_tools_that_the_prompt_names_are_called() -> None:
    """Where the choice is free: all words of the name, or /tool; but not again after its result."""
    prompt = "How is the weather in Rome?"
    assert await calls(prompt, tools=[TIME, WEATHER]) == [
        ("get_weather", {"city": "Bielefeld", "days": 1})
    ]
    assert await calls("/tool", tools=[TIME], tool_choice="auto") == [("get_time", {})]
    results = [{"role": "tool", "content": "sunny"}]
    assert await calls(prompt, tools=[WEATHER], then=results) == []


async def test_tools_are_left_alone_otherwise() -> None:
    """`none` forbids them all; and a tool whose schema is too complex is never forced."""
    assert await calls("hello", tools=[WEATHER]) == []
    assert await calls("the weather", tools=[WEATHER], tool_choice="none") == []
    assert await calls("/tool", tools=[WEATHER], tool_choice="none") == []
    hard = {"type": "function", "function": {"name": "get_time", "parameters": {"not": {}}}}
    assert await calls("the time", tools=[hard]) == []


async def test_a_limit_cuts_a_call() -> None:
    """The reason is the limit, not the call."""
    found = await complete("x", tools=[WEATHER], tool_choice="required", max_tokens=3)
    assert found["choices"][0]["finish_reason"] == "length"
    assert found["usage"]["completion_tokens"] == 3


async def test_reasoning_effort() -> None:
    """It turns reasoning on and off."""
    assert (
        "reasoning_content"
        in (await complete("hi", reasoning_effort="low"))["choices"][0]["message"]
    )
    for effort in ("none", "minimal"):
        message = (await complete("hi", model="reason", reasoning_effort=effort))["choices"][0][
            "message"
        ]
        assert "reasoning_content" not in message


async def test_fields_without_meaning_here_change_nothing() -> None:
    """Seeds and sampling are harmless: the demo model always gives the same answer."""
    fields = {"seed": 7, "temperature": 1.9, "top_p": 0.1, "top_k": 1, "user": "u", "stop": None}
    assert await text("hi", **fields) == answers.HELLO


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"max_tokens": 0}, "invalid_value", "max_tokens"),
        ({"max_tokens": "9"}, "invalid_value", "max_tokens"),
        ({"stop": 5}, "invalid_value", "stop"),
        ({"n": 129}, "invalid_value", "n"),
        ({"top_logprobs": 3}, "invalid_value", "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "invalid_value", "top_logprobs"),
        ({"response_format": {"type": "xml"}}, "invalid_value", "response_format.type"),
        ({"tools": [{"type": "custom"}]}, "invalid_value", "tools[0].type"),
        ({"tools": [WEATHER, {"type": "function"}]}, "invalid_value", "tools[1]"),
        ({"tools": 5}, "invalid_value", "tools"),
        ({"tool_choice": "required"}, "invalid_value", "tool_choice"),
        ({"tool_choice": "sometimes", "tools": [TIME]}, "unsupported_parameter", "tool_choice"),
        ({"tool_choice": {"type": "custom"}}, "unsupported_parameter", "tool_choice"),
        (
            {"tool_choice": {"type": "function", "function": {"name": "none"}}, "tools": [TIME]},
            "invalid_value",
            "tool_choice",
        ),
        (
            {
                "tools": [
                    {"type": "function", "function": {"name": "x", "parameters": {"not": {}}}}
                ],
                "tool_choice": "required",
            },
            "unsupported_parameter",
            "tools[0].function.parameters",
        ),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"pattern": "(a+)+"}},
                }
            },
            "unsupported_parameter",
            "response_format.json_schema.schema",
        ),
        ({"functions": [{"name": "x"}]}, "unsupported_parameter", "functions"),
        ({"modalities": ["text", "audio"]}, "unsupported_parameter", "modalities"),
    ],
)
async def test_what_it_cannot_do_is_refused_by_name(
    fields: dict[str, Any], code: str, param: str
) -> None:
    """Nothing is ignored in silence: the error names the field."""
    with pytest.raises(ClientError) as caught:
        await body("hi", **fields)
    assert (caught.value.code, caught.value.param) == (code, param)
