"""Settings: the only reader of the environment, and of ``tokenwire.toml``."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from .errors import ProxyError
from .references import PATTERN, check_given, check_reference, is_reference, listed

PREFIX = "TOKENWIRE_"
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_MIB = 1024 * 1024

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Bytes = Annotated[int, Meta(ge=1024)]
Count = Annotated[int, Meta(ge=1)]
# A key that stands in the file itself would be copied with it, so it is not taken.
Reference = Annotated[str, Meta(pattern=PATTERN)]
# As ``streams.policy`` reads it; wrong here, it would be every caller's error. Empty: by route.
OnDisconnect = Annotated[str, Meta(pattern=r"^(cancel|continue|grace[=(]\d{1,5}(\.\d{1,3})?\)?)?$")]
# An address may hold a password, so it may be a reference too.
StoreUrl = Annotated[
    str,
    Meta(pattern=r"^(memory://|rediss?://\S+|dynamodb://[A-Za-z0-9_.-]{3,255})$|" + PATTERN),
]
_FORMS = {
    "key": "env:NAME or ssm:/path",
    "store": "memory://, redis://HOST, rediss://HOST, dynamodb://TABLE, env:NAME or ssm:/path",
    "on_disconnect": "cancel, continue or grace=SECONDS",
}


Kind = Literal["openai", "anthropic", "gemini", "gemini-native", "bedrock", "bedrock-openai"]


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[providers.NAME]``. ``key`` is a reference: ``env:NAME`` or ``ssm:/path``.

    The values of ``headers`` and ``query`` may be references too. ``foreign_names`` says that it
    answers for names such as ``vendor/model`` whose first part is no provider here (OpenRouter).
    """

    kind: Kind = "openai"
    foreign_names: bool = False
    region: str | None = None
    base_url: str | None = None
    key: Reference | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    models: tuple[str, ...] = ()
    max_retries: Annotated[int, Meta(ge=0, le=10)] = 2

    def __repr__(self) -> str:
        """Names the class alone: headers can hold keys too."""
        return "ProviderSettings(…)"


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[models.NAME]``: whom to ask, in order, if the one before fails before it answers."""

    route: Annotated[tuple[str, ...], Meta(min_length=1)]
    patience: Seconds = 30.0


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Durations are in seconds, sizes in bytes.

    In the environment each is ``TOKENWIRE_`` and its name in capitals; in ``tokenwire.toml``
    it stands at the top level. The environment wins.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    emf_namespace: str = ""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    auth: Literal["keys", "none"] = "keys"
    api_keys: tuple[str, ...] = ()
    secret: str | None = None
    secret_ttl: Seconds = 300.0
    ticket_ttl: Seconds = 300.0
    cors_origins: tuple[str, ...] = ()

    demo: bool = True
    demo_pace: Annotated[float, Meta(gt=0)] = 40.0
    default_model: str = ""
    providers: dict[str, ProviderSettings] = {}
    models: dict[str, ModelSettings] = {}

    openai_sdk: bool = True
    timeout_connect: Seconds = 10.0
    timeout_first_content: Seconds = 120.0
    timeout_idle: Seconds = 60.0
    timeout_total: Seconds = 900.0

    heartbeat: Seconds = 15.0
    send_timeout: Seconds = 30.0
    retry: Annotated[int, Meta(ge=0)] = 1000
    on_disconnect: OnDisconnect | None = None
    retention: Seconds = 600.0

    store: StoreUrl = "memory://"
    durability: Literal["send", "commit"] = "send"
    lease: Seconds = 10.0
    viewer_lease: Seconds = 15.0

    timeout_head: Seconds = 10.0
    timeout_body: Seconds = 60.0
    max_connections: Count = 4096
    max_head_bytes: Bytes = 64 * 1024
    max_body_bytes: Bytes = 10 * _MIB
    max_body_values: Count = 100_000
    max_block_bytes: Bytes = _MIB
    window_bytes: Bytes = _MIB
    max_stream_bytes: Bytes = 8 * _MIB
    max_total_bytes: Bytes = 256 * _MIB
    max_streams: Count = 10_000
    max_caller_bytes: Bytes = 128 * _MIB
    max_caller_streams: Count = 5_000

    def __repr__(self) -> str:
        """Names the class alone: a repr must not be a way for keys to reach a log."""
        return "Settings(…)"


_LISTS = {"api_keys", "cors_origins"}
_SECONDS = {f.name for f in msgspec.structs.fields(Settings) if f.type is Seconds}
_NOT_IN_ENVIRONMENT = {"providers", "models"}
_KNOWN = [f.name for f in msgspec.structs.fields(Settings)]
# Variables that others read, in the same namespace.
_OTHERS = {"TOKENWIRE_CONFIG"}


_AWS_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
KINDS = ("openai", "anthropic", "gemini")
"""Providers that a key in the environment turns on, by the name of their variables."""


def load(
    environ: Mapping[str, str], folder: Path, fetch: Callable[[str], str] | None = None
) -> Settings:
    """The settings that this environment, and the files in this folder, say.

    Args:
        environ: The process's environment, with ``.env`` already merged (``environment``).
        folder: Where ``tokenwire.toml`` is looked for, unless ``TOKENWIRE_CONFIG`` names it.
        fetch: Reads the parameter that ``TOKENWIRE_CONFIG`` names, if it is ``ssm:/path``.

    Raises:
        ProxyError: A value is wrong, or a name unknown (code ``bad_setting``). The message
            names the setting and never quotes a value.
    """
    named = environ.get("TOKENWIRE_CONFIG", "")
    if fetch is not None and named.startswith("ssm:/"):
        said = _parsed(fetch(named.removeprefix("ssm:")), named)
    else:
        said = _toml(named, folder)
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and variable not in _OTHERS:
            said[_name(variable)] = _value(_name(variable), value)
    # An environment that starts on demand starts while a request waits; the others do not.
    said.setdefault("openai_sdk", environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand")
    said["providers"] = _merged(_from_keys(environ), said.get("providers", {}))
    said["models"] = _routes(said.get("models", {}))
    try:
        settings = msgspec.convert(said, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise _bad(_without_values(str(error))) from None
    _check_secrets(settings, environ)
    return settings


def _check_secrets(settings: Settings, environ: Mapping[str, str]) -> None:
    check_given("TOKENWIRE_API_KEYS", settings.api_keys, environ)
    check_given("TOKENWIRE_SECRET", filter(None, [settings.secret]), environ)
    for name, provider in settings.providers.items():
        for field, values in (("headers", provider.headers), ("query", provider.query)):
            for key, value in values.items():
                check_reference(f"providers.{name}.{field}.{key}", value)


def environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment, with what ``.env`` in ``folder`` adds; the real environment wins."""
    file = folder / ".env"
    lines = [line.strip() for line in _text(file).splitlines()] if file.is_file() else []
    pairs = (line.removeprefix("export ").partition("=") for line in lines if _is_pair(line))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs} | dict(environ)


def _is_pair(line: str) -> bool:
    return "=" in line and not line.startswith("#")


def _toml(named: str, folder: Path) -> dict[str, Any]:
    file = Path(named) if named else folder / "tokenwire.toml"
    if not named and not file.is_file():
        return {}
    return _parsed(_text(file), str(file))


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(f"{where} is not TOML: {error}") from None
    for name in said:
        _check_known(name, name)
    return {name: _value(name, v) if isinstance(v, str) else v for name, v in said.items()}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _bad(f"TOKENWIRE_CONFIG names {file}, which is not there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(f"{file} cannot be read ({type(error).__name__})") from None


def _name(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name in _NOT_IN_ENVIRONMENT:
        raise _bad(f"{variable} cannot be set here; use tokenwire.toml")
    _check_known(name, variable)
    return name


def _check_known(name: str, shown: str) -> None:
    if name not in _KNOWN:
        near = difflib.get_close_matches(name, _KNOWN, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise _bad(f"there is no setting {shown}{hint}")


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        return listed(text)
    return _seconds(text) if name in _SECONDS else text


def _seconds(text: str) -> Any:
    match = _DURATION.fullmatch(text.strip())
    return float(match[1]) * _UNITS[match[2]] if match else text


def _from_keys(environ: Mapping[str, str]) -> dict[str, Any]:
    """A provider's own variables turn it on."""
    found: dict[str, Any] = {}
    for name in KINDS:
        variable = f"{name.upper()}_API_KEY"
        if key := environ.get(variable):
            check_reference(variable, key)
            # On Lambda the variable holds no key but says where it is.
            reference = key if is_reference(key) else f"env:{variable}"
            base_url = environ.get(f"{name.upper()}_BASE_URL")
            found[name] = {"kind": name, "key": reference, "base_url": base_url}
    if (region := aws_region(environ)) and any(environ.get(name) for name in _AWS_CREDENTIALS):
        base_url = environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
        found["bedrock"] = {"kind": "bedrock", "region": region, "base_url": base_url}
    return found


def aws_region(environ: Mapping[str, str]) -> str | None:
    """The region that AWS's own tools would take from the environment."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")


def _routes(said: Any) -> Any:
    """``NAME = "provider/model"`` is short for a route of one."""
    if not isinstance(said, dict):
        return said  # for the validation to refuse
    return {k: {"route": [v]} if isinstance(v, str) else _timed(v) for k, v in said.items()}


def _timed(route: Any) -> Any:
    patience = route.get("patience") if isinstance(route, dict) else None
    return {**route, "patience": _seconds(patience)} if isinstance(patience, str) else route


def store_url(value: str) -> str:
    """The address of a store, from where a reference led.

    Raises:
        ProxyError: It is not one (``bad_setting``).
    """
    if is_reference(value):
        raise _bad("store leads to another reference")
    try:
        return msgspec.convert(value.strip(), StoreUrl)
    except msgspec.ValidationError:
        raise _bad(f"store must lead to {_FORMS['store']}") from None


def _merged(found: dict[str, Any], said: Any) -> Any:
    """What the file says of a provider is added to what its variables say."""
    if not isinstance(said, dict) or not all(isinstance(one, dict) for one in said.values()):
        return said  # for the validation to refuse
    return found | {name: found.get(name, {}) | one for name, one in said.items()}


def _without_values(message: str) -> str:
    # msgspec says what is wrong and where ("… - at `$.port`"). It quotes wrong words, which
    # are not to be shown, and patterns, which nobody wants to read.
    what, _, where = message.rpartition(" - at ")
    if what.startswith("Invalid enum value"):
        what = "Not one of the allowed values"
    if "matching regex" in what:
        what = f"Expected {_FORMS[where.strip('`').rpartition('.')[2]]}"
    return re.sub(r"`\$\.?([^`]*)`", r"\1", f"{what} - at {where}")


def _bad(message: str) -> ProxyError:
    return ProxyError(f"Bad setting: {message}.", code="bad_setting")
