"""Access without a key, and with a removed key."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.server import serving
from tokenwire.auth.callers import ANONYMOUS
from tokenwire.auth.keys import Keys
from tokenwire.auth.loopback import Loopback
from tokenwire.auth.none import Everyone, principal_of
from tokenwire.errors import ClientError
from tokenwire.providers.config import Config
from tokenwire.providers.http import Call

KEY, OTHER = "key-one-of-tests", "key-two-of-tests"
LOCAL: list[tuple[bytes, bytes]] = [(b"host", b"127.0.0.1:8000")]


async def test_readiness_without_a_key_names_no_provider(serve: Serve) -> None:
    """If the server has keys, /readyz without a key only shows whether it is ready."""
    client = await serve(TOKENWIRE_API_KEYS=KEY)
    stranger = await client.get("/readyz")
    wrong = await client.get("/readyz", headers={"x-api-key": OTHER})
    known = await client.get("/readyz", headers={"x-api-key": KEY})

    assert stranger.json() == wrong.json() == {"status": "ok"}
    assert known.json()["providers"] == {"demo": "chat"}
    assert "off" in known.json()


async def test_description_needs_a_key(serve: Serve) -> None:
    """If the server has keys, the API's description requires one, and the page says so."""
    client = await serve(TOKENWIRE_API_KEYS=KEY)

    assert (await client.get("/openapi.json")).status_code == 401
    known = await client.get("/openapi.json", headers={"x-api-key": KEY})
    assert known.json()["info"]["title"] == "tokenwire"


@pytest.mark.parametrize("site", ["cross-site", "Cross-Site", " CROSS-SITE ", "elsewhere"])
async def test_site_is_compared_without_case(site: str) -> None:
    """A request that a browser or proxy marks as cross-site is refused."""
    scope = {
        "client": ("127.0.0.1", 1),
        "headers": [*LOCAL, (b"sec-fetch-site", site.encode())],
    }
    with pytest.raises(ClientError) as caught:
        await Loopback()(scope)
    assert caught.value.code == "foreign_origin"


async def test_tickets_end_with_their_key() -> None:
    """A ticket of a removed key is invalid and does not keep a stream alive."""
    environ = {"TOKENWIRE_API_KEYS": "env:CALLERS", "CALLERS": f"{KEY},{OTHER}"}
    async with (
        serving(environ) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        shared = []
        for key in (KEY, OTHER):
            headers = {"x-api-key": key}
            ask = {"message": "hi", "on_disconnect": "continue"}
            shared.append((await client.post("/v1/streams", json=ask, headers=headers)).json())
        assert (await client.get(shared[0]["url"])).status_code == 200

        environ["CALLERS"] = OTHER
        removed = await client.get(shared[0]["url"])
        path, _, ticket = shared[0]["url"].partition("?")
        renewed = await client.post(f"{path}/viewers/viewer-1?{ticket}")
        other = await client.get(shared[1]["url"])

    assert (removed.status_code, removed.json()["code"]) == (401, "invalid_ticket")
    assert renewed.status_code == 401
    assert other.status_code == 200


async def test_authenticators_know_their_callers() -> None:
    """A caller with a key is valid while the key is; other callers always."""

    async def keys() -> list[str]:
        return [KEY]

    caller = await Keys(keys)({"headers": [(b"x-api-key", KEY.encode())]})

    assert await Keys(keys).knows(caller.id)
    assert not await Keys(keys).knows(ANONYMOUS.id)
    assert await Loopback().knows(ANONYMOUS.id)
    assert await Everyone().knows("iam_of_somebody")


ARN = "arn:aws:iam::123456789012:user/ada"
POOL = "arn:aws:sts::123456789012:assumed-role/web/CognitoIdentityCredentials"


@pytest.mark.parametrize(
    ("context", "principal"),
    [
        ({"authorizer": {"iam": {"userArn": ARN, "callerId": "AIDA"}}}, ARN),
        ({"authorizer": {"iam": {"callerId": "AIDA", "userArn": None}}}, "AIDA"),
        ({"identity": {"userArn": ARN, "sourceIp": "192.0.2.1"}}, ARN),
        ({"identity": {"userArn": POOL, "cognitoIdentityId": "eu:1"}}, "eu:1"),
        (
            {"authorizer": {"iam": {"userArn": POOL, "cognitoIdentity": {"identityId": "eu:2"}}}},
            "eu:2",
        ),
        ({"identity": {"sourceIp": "192.0.2.1", "userArn": None}}, None),
        ({"authorizer": {"iam": None}}, None),
        ({"authorizer": "x", "identity": []}, None),
        ({}, None),
        (None, None),
    ],
)
async def test_principals_are_callers(context: Any, principal: str | None) -> None:
    """Behind IAM each principal has its own name; without IAM, all callers are anonymous."""
    event = {"requestContext": context}
    caller = await Everyone()({"headers": [], "aws.event": event})

    assert principal_of(event) == principal
    assert (caller == ANONYMOUS) is (principal is None)
    assert "ada" not in caller.id


async def test_principals_differ() -> None:
    """Two users are two callers, and a user is always the same caller."""
    event = {"requestContext": {"identity": {"userArn": ARN}}}
    other = {"requestContext": {"identity": {"userArn": ARN + "2"}}}
    first, again, second = [
        (await Everyone()({"headers": [], "aws.event": e})).id for e in (event, event, other)
    ]

    assert first == again != second


def test_representations_hide_values() -> None:
    """The ``repr`` of a provider's request and configuration shows no secret."""
    call = Call("https://provider.test/v1?key=hunter2", {"x-key": "hunter2"}, b"hunter2")
    config = Config(headers={"a": "hunter2"}, query={"b": "hunter2"})

    assert "hunter2" not in repr(call) + repr(config)
