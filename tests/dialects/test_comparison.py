"""Blocks that are checked together: what passes is what would pass one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.upstream import DONE, ROLE, STOP, text, usage
from tokenwire.dialects.chat import ChatDecoder
from tokenwire.dialects.messages import MessagesDecoder
from tokenwire.hotpath import ReadsMany

CHAT = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
    b'[{"index":0,"delta":{"content":"%b"},"finish_reason":null}],"obfuscation":"%b"}\n\n'
)
MESSAGES = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"%b"},"x":"%b"}\n\n'
)
FORMS: list[tuple[bytes, Any]] = [(CHAT, ChatDecoder()), (MESSAGES, MessagesDecoder())]
# What stands in a string, and what does not.
PARTS = st.sampled_from(
    [
        b"a",
        b" the",
        b"[{",
        "é☃😀".encode(),
        b"\\n",
        b"\\\\",
        b'\\"',
        b"\\u00e9",
        b"\\/",
        b"\\ud83d\\ude00",
        b"\\ud83d",
        b"\\u12",
        b"\\x",
        b"\\",
        b'"',
        b'"},"finish_reason":null}],"obfuscation":"',
        b'"},"x":"',
        b'","error":{"a":1},"b":"',
        b"\n",
        b"\r",
        b"\0",
        b"\x7f",
        b"\xff",
        b"\xc3",
        b"\xa9",
        b"\xed\xa0\x80",
    ]
)
STRINGS = st.lists(PARTS, max_size=4).map(b"".join)
GOOD = [b"", b"a", b" the", "é☃😀".encode(), b"\\n", b'say \\"x\\"', b"\\\\", b"\\u00e9", b"[[{"]


def passes_together(decoder: ReadsMany, blocks: Sequence[bytes]) -> bool:
    """Whether none of the blocks has to be decoded, and whether one by one says the same."""
    together = decoder.all_plain(blocks)
    if together:
        assert not any(map(decoder.notable, blocks))  # type: ignore[attr-defined]
    return together


@pytest.mark.parametrize(("form", "decoder"), FORMS, ids=["chat", "messages"])
def test_texts_that_differ_pass_together(form: bytes, decoder: Any) -> None:
    """With escapes and in any script; beside a string that is always the same, or another each."""
    assert passes_together(decoder, [form % (one, b"") for one in GOOD])


def test_padding_may_differ() -> None:
    """OpenAI pads each chunk with a string of another length."""
    assert passes_together(ChatDecoder(), [CHAT % (one, b"p" * n) for n, one in enumerate(GOOD)])


@pytest.mark.parametrize("odd", [DONE, ROLE, STOP, usage(), text("x"), b"data: {}\n\n", b""])
@pytest.mark.parametrize("at", [0, 3, 9])
def test_one_that_differs_elsewhere_does_not_pass(odd: bytes, at: int) -> None:
    """Wherever it stands."""
    blocks = [CHAT % (b"a", b"b") for _ in range(9)]
    assert not passes_together(ChatDecoder(), [*blocks[:at], odd, *blocks[at:]])


def test_blocks_without_a_text_do_not_pass_together() -> None:
    """Nothing in them may differ."""
    block = CHAT.replace(b'"content":"%b"', b"").replace(b',"obfuscation":"%b"', b"")
    assert not ChatDecoder().notable(block)
    assert not passes_together(ChatDecoder(), [block] * 3)


def test_block_may_not_be_shorter_than_what_all_have() -> None:
    """One quote can not both begin and end a text."""
    block = CHAT % (b"", b"b")
    cut = block.replace(b'"content":""', b'"content":"')
    assert not passes_together(ChatDecoder(), [block, block, cut])


@given(
    st.sampled_from(FORMS),
    st.lists(st.tuples(STRINGS, STRINGS), min_size=1, max_size=5),
    st.integers(0, 60),
)
@example(FORMS[0], [(b"a", b"b"), (b'","error":{"a":1},"b":"', b"b")], 0)
@example(FORMS[0], [(b"a", b"b"), (b'"},"finish_reason":null}],"obfuscation":"', b"b")], 0)
@example(FORMS[0], [(b"a", b"b"), (b"\xc3\\n\xa9", b"b")], 0)
def test_check_together_equals_check_one_by_one(
    form: tuple[bytes, Any], texts: list[tuple[bytes, bytes]], cut: int
) -> None:
    """For any bytes within the strings, and blocks that break off."""
    template, decoder = form
    blocks = [template % pair for pair in texts]
    passes_together(decoder, blocks)
    passes_together(decoder, [*blocks, blocks[-1][: len(blocks[-1]) - cut]])


@given(st.lists(st.sampled_from(GOOD), min_size=1, max_size=9))
def test_what_is_good_passes(texts: list[bytes]) -> None:
    """In any order: the check would be of no use if it were too strict."""
    assert passes_together(ChatDecoder(), [CHAT % (one, b"p") for one in texts])
