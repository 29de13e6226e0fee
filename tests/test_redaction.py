"""What a provider wrote beside an answer: secrets are out, in bounded work, on every path."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Serve
from tests.fakes.upstream import ROLE, Upstream
from tests.fakes.work import allocated
from tokenwire.errors import TokenwireError
from tokenwire.providers.failures import from_status, unreachable
from tokenwire.redaction import MAX_READ, MAX_SEARCHED, MAX_TEXT, redact, word

KEY = "my-own-key-1234"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {KEY} is bad", "key [redacted] is bad"),
        (
            "Incorrect API key provided: sk-proj-abc123XYZ.",
            "Incorrect API key provided: [redacted]",
        ),
        ("sk-****wxyz or gsk_abcdefgh1", "[redacted] or [redacted]"),
        ("AIzaSyA1234567890abcdef and AKIAIOSFODNN7EXAMPLE", "[redacted] and [redacted]"),
        ("ya29.a0AfH6SMB and ghp_abcdefghijkl", "[redacted] and [redacted]"),
        ("Authorization: Bearer abc.def", "Authorization: [redacted]"),
        ("bearer: abc, BEARER=abc", "[redacted] [redacted]"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: [redacted]"),
        ("see https://u:p@h.test/x?key=1 now", "see [address] now"),
        ("eyJhbGciOi.eyJzdWIi.sig", "[redacted]"),
        ("api-key1234567 api_v2-secret", "[redacted] [redacted]"),
        ("d41d8cd98f00b204e9800998ecf8427e", "[redacted]"),
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY==", "[redacted]"),
        ("two\nlines \t here", "two lines here"),
        ("max_tokens is too large: 9999", "max_tokens is too large: 9999"),
        ("The api_version is unsupported.", "The api_version is unsupported."),
        ("messages.0.content must be a string", "messages.0.content must be a string"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    """Keys, tokens and addresses go; what helps to mend a request stays."""
    assert redact(text, [KEY]) == shown


def test_known_secrets_go_first_and_the_longest_before_its_parts() -> None:
    """No part of a known secret is left, wherever a cut falls."""
    assert redact("x abcdef y abc z", ["abc", "", "abcdef"]) == "x [redacted] y [redacted] z"
    for at in (*range(MAX_TEXT - 20, MAX_TEXT + 1), *range(MAX_SEARCHED - 20, MAX_SEARCHED + 1)):
        assert "my-own" not in redact("a " * (at // 2) + KEY, [KEY])


@pytest.mark.parametrize("offset", range(len(KEY) + 2))
def test_the_cut_leaves_no_part_of_a_secret(offset: int) -> None:
    """Beyond what is read there may be the rest of a secret; its beginning goes too."""
    # Each copy shrinks to ten characters, so that the end of what is read would be shown.
    long = "K" * 4000
    text = f"{long} " * (MAX_READ // 4001)
    text += "." * (MAX_READ - len(text) - offset) + long

    assert "K" not in redact(text, [long])


def test_a_word_that_the_cut_goes_through_is_not_shown() -> None:
    """A cut text could be part of a secret, whose form is only recognized when it is complete."""
    text = "https://h.test/" + "x" * (MAX_SEARCHED - 30) + " sk-proj-abcdefghijklmnop"

    assert redact(text, []) == "[address]"


@pytest.mark.parametrize("text", ["word " * 100_000, "x" * 100_000, " " * 100_000, "eyJ-" * 16_000])
def test_redaction_is_bounded(text: str) -> None:
    """A provider cannot flood a caller through an error."""
    assert len(redact(text, [KEY])) <= MAX_TEXT


@given(st.text(), st.text(), st.sampled_from([KEY, "sk-abcdefgh", "Bearer abcdef", "x y"]))
def test_no_secret_survives(before: str, after: str, secret: str) -> None:
    """Whatever stands around a known secret, it is not in what comes out."""
    assert secret not in redact(f"{before}{secret}{after}", [secret])


def test_redaction_allocates_in_proportion_to_what_it_reads() -> None:
    """A text of a hundred megabytes would cost as much as one of 64 KiB."""

    def work(length: int) -> int:
        text = "eyJ-sk-" * (length // 7)
        return allocated(lambda texts: [redact(text, [KEY]) for text in texts], [text])

    assert work(32 * MAX_READ) < 1.5 * work(2 * MAX_READ)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("invalid_api_key_error", "invalid_api_key_error"),
        ("messages[0].content", "messages[0].content"),
        ("sk-proj-abc123XYZ", None),
        (KEY, None),
        ("eyJhbGciOi.eyJzdWIi.sig", None),
        ("two words", None),
        ("x" * 65, None),
        ({"a": 1}, None),
        (None, None),
    ],
)
def test_words_that_are_secrets_are_not_passed_on(value: object, shown: str | None) -> None:
    """A code and a field's path are plain, short, and no key."""
    assert word(value, [KEY]) == shown


EVIL = f"{KEY} Bearer sk-other-secret-1 eyJhbGciOi.eyJzdWIi.sig https://u:pw@in.test/"


def leaked(error: TokenwireError) -> list[str]:
    """The secrets in all that an error says."""
    texts = f"{error} {error.message} {error.code} {error.param} {error!r} {error.__cause__!r}"
    return [each for each in (KEY, "sk-other", "eyJ", "pw@") if each in texts]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 418, 422, 429, 500, 503, 529])
def test_refusals_leak_nothing(status: int) -> None:
    """Whatever field the secrets are in."""
    body: dict[str, Any] = {
        "message": EVIL,
        "code": KEY,
        "param": "sk-other-secret-1",
        "type": EVIL,
    }
    assert leaked(from_status(status, body, {"x": KEY}, [KEY])) == []


@pytest.mark.parametrize(
    "error",
    [
        httpx2.ConnectError(EVIL),
        httpx2.ReadTimeout(EVIL),
        httpx2.InvalidURL(EVIL),
        RuntimeError(EVIL),
    ],
)
def test_exceptions_of_libraries_leak_nothing(error: Exception) -> None:
    """The text of an HTTP client about a failure is replaced by our own."""
    assert leaked(unreachable(error)) == []


PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
    "/v1/responses": {"input": "Hi"},
    "/api/stream": {"message": "Hi"},
    "/api/chat": {"messages": [{"role": "user", "parts": [{"type": "text", "text": "Hi"}]}]},
}
SAID = {
    "message": EVIL.replace(KEY, "sk-secret"),
    "code": "sk-secret-of-ours",
    "param": "eyJabcdefg",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("status", [400, 429])
async def test_error_bodies_leak_nothing_to_a_client(
    status: int, path: str, provider: Upstream, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """In every dialect, before the first byte; nor does the log have it."""
    for _ in range(3):
        provider.answer(json.dumps({"error": SAID}).encode(), status=status)
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")

    response = await client.post(path, json={"model": "openai/gpt-x", **PATHS[path]})

    shown = f"{response.text} {response.headers} {caplog.text}"
    assert [each for each in ("sk-secret", "sk-other", "eyJ", "pw@") if each in shown] == []
    # A typed stream begins before its provider answers.
    assert response.status_code == (200 if path == "/api/stream" else status)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "block",
    [
        b'data: {"error":%b}\n\n' % json.dumps(SAID).encode(),
        b"event: error\ndata: %b\n\n" % json.dumps(SAID).encode(),
        b'data: {"type":"error","message":%b}\n\n' % json.dumps(SAID["message"]).encode(),
        b'data: {"detail":%b}\n\n' % json.dumps(SAID["message"]).encode(),
        b"data: %b\n\n" % SAID["message"].encode(),
        b": %b\n\n" % SAID["message"].encode(),
        b"id: %b\nretry: 1\n%b" % (SAID["message"].encode(), ROLE),
    ],
)
async def test_errors_in_a_stream_leak_nothing_to_a_client(
    block: bytes, path: str, provider: Upstream, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """In every dialect, whatever shape the provider's error has; nor does the log have it."""
    provider.answer(ROLE, block)
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")

    response = await client.post(
        path, json={"model": "openai/gpt-x", "stream": True, **PATHS[path]}
    )

    shown = f"{response.text} {response.headers} {caplog.text}"
    assert [each for each in ("sk-secret", "sk-other", "eyJ", "pw@") if each in shown] == []
