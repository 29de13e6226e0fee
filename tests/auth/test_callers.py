"""Authentication of callers: by key, by address, or none."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from tokenwire.auth.callers import Authenticator
from tokenwire.auth.keys import Keys
from tokenwire.auth.loopback import Loopback, check_bind, is_loopback
from tokenwire.auth.method import AuthDependencies, NoOptions
from tokenwire.auth.none import Everyone
from tokenwire.auth.registry import load_auth_methods
from tokenwire.errors import ClientError, ProxyError
from tokenwire.plugins import published

KEYS = ["key-one-of-tests", "key-two-of-tests"]


async def keys() -> list[str]:
    """Return the keys in force."""
    return KEYS


def scope(client: str | None = "127.0.0.1", **headers: str) -> dict[str, Any]:
    """Return an ASGI scope with these headers."""
    named = {"host": "127.0.0.1:8000", **{k.replace("_", "-"): v for k, v in headers.items()}}
    return {
        "client": (client, 5000) if client else None,
        "headers": [(k.encode(), v.encode()) for k, v in named.items()],
    }


@pytest.mark.parametrize(
    "header",
    [
        {"authorization": "Bearer key-two-of-tests"},
        {"authorization": "bearer  key-two-of-tests"},
        {"x_api_key": "key-two-of-tests"},
        {"api_key": "key-two-of-tests"},
    ],
)
async def test_any_header_will_do(header: dict[str, str]) -> None:
    """Keys are read from the headers of every SDK, and the caller is the key's hash."""
    caller = await Keys(keys)(scope(client="203.0.113.9", **header))
    assert len(caller.id) == 12
    assert "key" not in caller.id


async def test_key_may_be_any_text() -> None:
    """Keys are compared as bytes, also outside ASCII."""

    async def greek() -> list[str]:
        return ["κλειδί"]

    sent = {"headers": [(b"x-api-key", "κλειδί".encode())]}
    assert (await Keys(greek)(sent)).id == sha256("κλειδί".encode()).hexdigest()[:12]


async def test_callers_differ() -> None:
    """Each key is a separate caller."""
    one, two = [await Keys(keys)(scope(x_api_key=key)) for key in KEYS]
    assert one != two


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({}, "missing_api_key"),
        ({"authorization": "Basic key-one-of-tests"}, "missing_api_key"),
        ({"authorization": "Bearer "}, "missing_api_key"),
        ({"authorization": "Bearer key"}, "invalid_api_key"),
        ({"x_api_key": "key-one-of-tests "}, "invalid_api_key"),
        ({"x_api_key": "KEY-ONE"}, "invalid_api_key"),
    ],
)
async def test_others_are_refused(header: dict[str, str], code: str) -> None:
    """A wrong or partial key is a 401, and the response does not repeat it."""
    with pytest.raises(ClientError) as caught:
        await Keys(keys)(scope(**header))
    assert (caught.value.status, caught.value.code) == (401, code)


@pytest.mark.parametrize(
    "local",
    [
        {},
        {"host": "localhost:8000"},
        {"host": "[::1]:8000"},
        {"origin": "http://127.0.0.1:8000", "sec_fetch_site": "same-origin"},
        {"origin": "http://localhost:3000", "sec_fetch_site": "same-site"},
        {"origin": "https://app.test", "sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "none"},
    ],
)
async def test_loopback_lets_this_machine_in(local: dict[str, str]) -> None:
    """Local programs, local pages and allowed origins are accepted."""
    assert (await Loopback(["https://app.test"])(scope(**local))).id == "anonymous"


@pytest.mark.parametrize(
    ("foreign", "code"),
    [
        ({"client": "203.0.113.9"}, "loopback_only"),
        ({"client": None}, "loopback_only"),
        ({"host": "evil.test"}, "loopback_only"),
        ({"host": "127.0.0.1.evil.test:8000"}, "loopback_only"),
        ({"host": ""}, "loopback_only"),
        ({"host": "[::1"}, "loopback_only"),
        ({"origin": "http://[::1"}, "foreign_origin"),
        ({"origin": "https://evil.test"}, "foreign_origin"),
        ({"origin": "null"}, "foreign_origin"),
        ({"sec_fetch_site": "cross-site"}, "foreign_origin"),
    ],
)
async def test_loopback_keeps_others_out(foreign: dict[str, Any], code: str) -> None:
    """Other machines, rebound names and foreign pages are refused, with advice."""
    with pytest.raises(ClientError, match="TOKENWIRE_") as caught:
        await Loopback(["https://app.test"])(scope(**foreign))
    assert (caught.value.status, caught.value.code) == (403, code)


def chosen(method: str, key_count: int = 0) -> Authenticator:
    """Return the authenticator of a built-in method."""

    async def secret(_: str) -> str:
        raise AssertionError("no built-in method reads its own secret")

    return load_auth_methods(published())[method].create(
        AuthDependencies(NoOptions(), keys, key_count, (), secret)
    )


def test_settings_choose() -> None:
    """The methods are: keys if there are any, else loopback, else none if set."""
    assert isinstance(chosen("keys", key_count=1), Keys)
    assert isinstance(chosen("keys"), Loopback)
    assert isinstance(chosen("none"), Everyone)


def test_descriptions_for_the_operator() -> None:
    """The startup message describes the method and the number of keys."""
    assert chosen("keys", key_count=2).description == "Callers need one of 2 keys."
    assert "this machine only" in chosen("keys").description
    assert "TOKENWIRE_AUTH=none" in chosen("none").description


async def test_everyone_is_anonymous() -> None:
    """Without authentication, every request is accepted."""
    assert (await Everyone()(scope(client="203.0.113.9"))).id == "anonymous"


def test_refuses_to_listen_without_keys() -> None:
    """A server on another address than loopback needs keys, or ``auth = none``."""
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.test"):
        with pytest.raises(ProxyError) as caught:
            check_bind(chosen("keys"), host)
        assert caught.value.code == "refuse_to_start"
        check_bind(chosen("none"), host)
        check_bind(chosen("keys", key_count=1), host)
    check_bind(chosen("keys"), "127.0.0.1")


def test_loopback_names() -> None:
    """Loopback names and addresses are recognised."""
    assert all(map(is_loopback, ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not any(map(is_loopback, ["", "example.test", "10.0.0.1", "0.0.0.0"]))


@pytest.mark.parametrize(
    ("forwarded", "is_served"),
    [
        ({"x_forwarded_for": "127.0.0.1"}, True),
        ({"x_forwarded_for": "::1, ::ffff:127.0.0.1"}, True),
        ({"x_forwarded_for": "127.0.0.1, 203.0.113.9"}, False),
        ({"x_forwarded_for": "unknown"}, False),
        ({"x_real_ip": "203.0.113.9"}, False),
        ({"forwarded": "for=127.0.0.1"}, False),
    ],
)
async def test_forwarded_requests_are_not_local(
    forwarded: dict[str, str], *, is_served: bool
) -> None:
    """A request that a local proxy forwards for another address is not local."""
    try:
        found = await Loopback()(scope(**forwarded)) is not None
    except ClientError as refused:
        found = refused.code != "loopback_only"
    assert found is is_served


async def test_doubled_headers_are_one_value() -> None:
    """Two values of a header are not one of them: neither two hosts nor two keys are accepted."""
    two = [(b"host", b"evil.test"), (b"host", b"localhost")]
    with pytest.raises(ClientError):
        await Loopback()({"client": ("127.0.0.1", 1), "headers": two})
    doubled = [(b"x-api-key", b"guess"), (b"x-api-key", KEYS[0].encode())]
    with pytest.raises(ClientError):
        await Keys(keys)({"headers": doubled})


async def test_every_key_is_compared() -> None:
    """All keys are compared, so the duration does not depend on the key."""
    compared = 0

    async def counted() -> Iterator[str]:
        def each() -> Iterator[str]:
            nonlocal compared
            for key in KEYS:
                compared += 1
                yield key

        return each()

    await Keys(counted)(scope(x_api_key=KEYS[0]))
    assert compared == len(KEYS)
