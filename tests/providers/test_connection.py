"""Connections to providers: bytes in, one response at a time, and every way that it can break."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.fakes.listening import listening
from tests.fakes.transport import Open
from tokenwire.providers.certificates import trusted
from tokenwire.providers.connection import MAX_FIELDS, MAX_HEAD, Connection, Exchange
from tokenwire.providers.pool import Pool

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"


class Server:
    """Answers each request on a connection with the next of its answers, then hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = asyncio.Event()
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        try:
            while self._answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                self.requests.append(head + await reader.readexactly(int(length or 0)))
                writer.write(self._answers.pop(0))
        finally:
            self.closed.set()


@asynccontextmanager
async def served(*answers: bytes, limit: int = 9) -> AsyncIterator[tuple[Server, Pool]]:
    """Start a server with these answers, and a pool."""
    server, pool = Server(*answers), Pool(limit)
    async with listening(server.serve) as address:
        server.url = f"http://{address}/v1/x?y=z"
        yield server, pool
        await pool.aclose()


async def body_of(response: httpx2.Response) -> bytes:
    """Read a response to its end."""
    return b"".join([data async for data in response.aiter_raw()])


async def post(server: Server, pool: Pool, content: bytes = b"{}") -> httpx2.Response:
    """Send a request."""
    return await pool.post(server.url, {"x-one": "1"}, content, 5)


async def test_request_is_written_as_it_is() -> None:
    """Line, host, the caller's fields, length, body."""
    async with served(OK + b"content-length: 2\r\n\r\nok") as (server, pool):
        response = await post(server, pool, b'{"a":1}')
        assert (response.status_code, await body_of(response)) == (200, b"ok")
    host = server.url.split("/")[2].encode()
    assert server.requests == [
        b"POST /v1/x?y=z HTTP/1.1\r\nhost: " + host + b"\r\nx-one: 1\r\n"
        b'content-length: 7\r\n\r\n{"a":1}'
    ]


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 5\r\n\r\nhello",
        CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK + b"content-length: 5\r\n\r\nhello",
    ],
)
async def test_connection_serves_again(answer: bytes) -> None:
    """Whatever marks the end of a body; fields of trailers and of early hints are dropped."""
    async with served(answer, answer) as (server, pool):
        for _ in range(2):
            response = await post(server, pool)
            assert await body_of(response) == b"hello"
            assert not {"x-trailer", "link"} & set(response.headers)
    assert server.connections == 1


async def test_body_may_end_with_its_connection() -> None:
    """Without a length, as HTTP/1.0 servers do; such a connection is not used again."""
    async with served(OK + b"\r\nhello") as (server, pool):
        assert await body_of(await post(server, pool)) == b"hello"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n.",
        OK + b"content-length: 1\r\n\r\n.HTTP/1.1 200 unrequested",
    ],
)
async def test_connection_is_not_used_again(answer: bytes) -> None:
    """The server announces it, or sends what was not requested."""
    async with served(answer) as (server, pool):
        assert await body_of(await post(server, pool)) == b"."
        await asyncio.wait_for(server.closed.wait(), 5)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        OK + b"content-le",
        b"SSH-2.0-OpenSSH\r\n",
        OK + b"".join(b"x-%d: 1\r\n" % number for number in range(MAX_FIELDS + 1)) + b"\r\n",
        OK + b"x: " + b"x" * MAX_HEAD,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nraw",
    ],
)
async def test_no_response_is_an_error(answer: bytes) -> None:
    """Nothing, half a head, no HTTP, a head past its bounds, another protocol."""
    async with served(answer) as (server, pool):
        with pytest.raises(httpx2.TransportError):
            await post(server, pool)


@pytest.mark.parametrize(
    "body", [b"content-length: 5\r\n\r\nhel", b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n"]
)
async def test_cut_body_is_an_error(body: bytes) -> None:
    """Never a shorter answer."""
    async with served(OK + body) as (server, pool):
        response = await post(server, pool)
        with pytest.raises(httpx2.ReadError):
            await body_of(response)


async def test_abandoned_response_closes_its_connection() -> None:
    """At once, so that the provider stops."""
    async with served(CHUNKED + b"2\r\nhe\r\n", b"") as (server, pool):
        response = await post(server, pool)
        await response.aclose()
        await asyncio.wait_for(server.closed.wait(), 5)


async def test_cancelled_request_closes_its_connection() -> None:
    """While it waits for the head."""
    async with served(b"HTTP/1.1", b"") as (server, pool):
        pending = asyncio.create_task(post(server, pool))
        while not server.requests:
            await asyncio.sleep(0)
        pending.cancel()
        await asyncio.wait_for(server.closed.wait(), 5)
        with pytest.raises(asyncio.CancelledError):
            await pending


@pytest.mark.parametrize("name", ["x-a\r\nx-b", "x-a"])
async def test_line_end_in_a_field_is_refused(name: str) -> None:
    """Nothing that a header holds can begin another one."""
    async with served(OK) as (server, pool):
        with pytest.raises(httpx2.LocalProtocolError):
            await pool.post(server.url, {name: "1\r\nx-c: 2"}, b"", 5)
    assert server.requests == []


async def test_connections_are_bounded() -> None:
    """One too many is refused, and not kept waiting."""
    async with served(CHUNKED, CHUNKED, limit=1) as (server, pool):
        await post(server, pool)
        with pytest.raises(httpx2.PoolTimeout):
            await post(server, pool)


async def test_unreachable_server_is_a_connect_error() -> None:
    """A port without a listener; an address of no known scheme."""
    async with listening(partial(_nothing)) as address:
        pass
    pool = Pool(9)
    with pytest.raises(httpx2.ConnectError):
        await pool.post(f"http://{address}/", {}, b"", 5)
    with pytest.raises(httpx2.UnsupportedProtocol):
        await pool.post("gopher://x/", {}, b"", 5)


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve nothing."""


async def test_httpx_reads_within_its_timeout() -> None:
    """The lists of models have one; streams have none."""
    async with served(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n", b"") as (server, pool):
        client = httpx2.AsyncClient(transport=pool, timeout=httpx2.Timeout(5, read=0.05))
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(server.url)


async def begun() -> tuple[Connection, Exchange]:
    """Return a connection without a network, and a response whose first bytes have been read."""
    connection = Connection(lambda _: None, lambda _: None)
    connection.connection_made(Open())
    sending = asyncio.create_task(connection.send(b"GET / HTTP/1.1\r\n\r\n"))
    await asyncio.sleep(0)
    connection.data_received(CHUNKED + b"2\r\nhe\r\n")
    exchange = await sending
    assert await exchange.read() == b"he"
    return connection, exchange


async def test_body_is_followed_where_it_arrives() -> None:
    """Until the follower declines; what comes then is held for reads, up to a bound."""
    piece = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    connection, incoming = await begun()
    taken: list[bytes] = []

    def take(data: bytes) -> bool:
        taken.append(data)
        return False

    asyncio.get_running_loop().call_soon(connection.data_received, b"3\r\nllo\r\n")
    await incoming.follow(take)
    assert taken == [b"llo"]
    for _ in range(20):
        connection.data_received(piece)
    assert await incoming.read() == b"x" * 0x1000 * 20


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    dated = builder.not_valid_before(now).not_valid_after(now + timedelta(hours=1))
    signed = dated.add_extension(address, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found = folder / "test.pem"
    found.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return found


async def test_certificates_are_checked(tmp_path: Path) -> None:
    """A trusted server is spoken to over TLS; any other one not at all."""
    pem = certificate(tmp_path)
    secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    secure.load_cert_chain(pem)
    server = Server(OK + b"content-length: 5\r\n\r\nhello")
    trusting, strict = Pool(9, ssl.create_default_context(cafile=str(pem))), Pool(9)
    async with listening(server.serve, secure=secure) as address:
        server.url = f"https://{address}/"
        assert await body_of(await post(server, trusting)) == b"hello"
        with pytest.raises(httpx2.ConnectError):
            await post(server, strict)
        await trusting.aclose()


def test_certificates_are_read_once() -> None:
    """Reading them takes 20 ms, and providers connect in threads of their own at startup."""
    with ThreadPoolExecutor() as threads:
        found = [threads.submit(trusted) for _ in range(4)]
    assert len({id(one.result()) for one in found}) == 1


async def test_failure_of_a_follower_is_the_readers() -> None:
    """It is raised where the body is followed, and not in the event loop."""
    connection, incoming = await begun()

    def take(data: bytes) -> bool:
        raise ValueError(data)

    asyncio.get_running_loop().call_soon(connection.data_received, b"3\r\nllo\r\n")
    with pytest.raises(ValueError, match="llo"):
        await incoming.follow(take)
