"""Settings, from the process's environment, ``.env`` and ``tokenwire.toml``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from .auth.method import AuthMethod
from .errors import ClientError, bad_setting
from .providers.settings import ProviderSettings
from .references import check_given, check_key, check_reference, is_reference, listed
from .registries import Registries
from .rules import check_origins, check_route, hint, one_of, wrong_type
from .sources import of_file, parsed, seconds
from .stores.registry import kind_of
from .streams.policy import OnDisconnect

PREFIX = "TOKENWIRE_"
_MIB = 1024 * 1024

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Bytes = Annotated[int, Meta(ge=1024)]
Count = Annotated[int, Meta(ge=1)]


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[models.NAME]``: the models of a route, each tried if those before it fail."""

    route: Annotated[tuple[str, ...], Meta(min_length=1)]
    patience: Seconds = 30.0


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set. Durations are in seconds, sizes in bytes.

    In the environment each is ``TOKENWIRE_`` and its name in capitals; in ``tokenwire.toml``
    it is a key of the top level. The environment wins.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 8000
    workers: Annotated[int, Meta(ge=1, le=256)] = 1
    emf_namespace: str = ""
    otel: bool = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    auth: str = "keys"
    auth_options: dict[str, Any] = {}
    api_keys: tuple[str, ...] = ()
    secret: str | None = None
    secret_ttl: Seconds = 300.0
    ticket_ttl: Seconds = 300.0
    cors_origins: tuple[str, ...] = ()

    check_providers: bool = True
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
    on_disconnect: str | None = None
    retention: Seconds = 600.0

    # An address, or a reference to one: it can hold a password.
    store: str = "memory://"
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
        """Return the name of the class alone: a repr must not carry keys into a log."""
        return "Settings(…)"


_Struct = TypeVar("_Struct", bound=Struct)
_LISTS = {f.name for f in msgspec.structs.fields(Settings) if f.type == tuple[str, ...]}
_SECONDS = {f.name for f in msgspec.structs.fields(Settings) if f.type is Seconds}
_NOT_IN_ENVIRONMENT = {"auth_options", "models", "providers"}
_KNOWN = [f.name for f in msgspec.structs.fields(Settings)]
# Variables with the same prefix that are no settings.
_OTHERS = {"TOKENWIRE_CONFIG"}


def load(
    environ: Mapping[str, str],
    folder: Path,
    fetch: Callable[[str], str] | None = None,
    registries: Registries | None = None,
    options: Mapping[str, str] | None = None,
) -> Settings:
    """Return the settings that an environment and the files in a folder give.

    Args:
        environ: The process's environment, with ``.env`` already merged (``environment``).
        folder: Where ``tokenwire.toml`` is looked for, unless ``TOKENWIRE_CONFIG`` names it.
        fetch: Reads the parameter that ``TOKENWIRE_CONFIG`` names, if it is ``ssm:/path``.
        registries: What can be configured; by default all that is installed.
        options: Of the command line, by the name of their setting. They win.

    Raises:
        ProxyError: A value is wrong, or a name unknown (code ``bad_setting``). The message
            names the setting as it was written, and never quotes a value.
    """
    registries = registries or Registries.load()
    found, shown = _given(environ, folder, fetch, options or {})
    found.setdefault("openai_sdk", not starts_on_demand(environ))
    # For an environment that a request waits for it would be work that is thrown away.
    found.setdefault("check_providers", not starts_on_demand(environ))
    # A deployment whose key is missing must not answer from a script.
    found.setdefault("demo", "AWS_LAMBDA_RUNTIME_API" not in environ)
    providers = _merged(_turned_on(environ, registries), found.pop("providers", {}))
    found["models"] = _routes(found.get("models", {}))
    settings = _converted(found, Settings, "", shown)
    settings = msgspec.structs.replace(settings, providers=_providers(providers, registries))
    _check(settings, registries, environ, shown)
    return settings


def _given(
    environ: Mapping[str, str],
    folder: Path,
    fetch: Callable[[str], str] | None,
    options: Mapping[str, str],
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values by the names of their settings, and how the user wrote these names."""
    named = options.get("config") or environ.get("TOKENWIRE_CONFIG", "")
    check_reference("TOKENWIRE_CONFIG", named)
    if fetch is not None and named.startswith("ssm:/"):
        given = parsed(fetch(named.removeprefix("ssm:")), named)
    else:
        given = of_file(named, folder)
    found: dict[str, Any] = {}
    for name, value in given.items():
        _check_known(name, name)
        found[name] = _value(name, value) if isinstance(value, str) else value
    shown = {name: f"{name} in {named or 'tokenwire.toml'}" for name in found}
    for variable, value in environ.items():
        if variable.startswith(PREFIX) and variable not in _OTHERS:
            found[_name(variable)] = _value(_name(variable), value)
            shown[_name(variable)] = variable
    for name, value in options.items():
        if name != "config":
            found[name], shown[name] = _value(name, value), f"--{name}"
    return found, shown


def _check(
    settings: Settings,
    registries: Registries,
    environ: Mapping[str, str],
    shown: Mapping[str, str],
) -> None:
    _check_auth(settings, registries, shown.get("auth", "auth"))
    store = shown.get("store", "store")
    check_reference(store, settings.store)
    if not is_reference(settings.store):
        kind_of(settings.store, registries.stores, store)
    _check_secrets(settings, environ, shown)
    _check_policy(settings.on_disconnect, shown.get("on_disconnect", "on_disconnect"))
    check_origins(shown.get("cors_origins", "cors_origins"), settings.cors_origins)
    _check_models(settings, registries, shown)


def _check_policy(policy: str | None, shown: str) -> None:
    """Refuse what would fail each request. An empty policy stands for that of the route."""
    try:
        if policy:
            OnDisconnect.parse(policy)
    except ClientError:
        raise bad_setting(f"{shown} must be cancel, continue or grace=SECONDS") from None


def _check_models(settings: Settings, registries: Registries, shown: Mapping[str, str]) -> None:
    """Refuse models of providers that are not there, unless one takes foreign names."""
    if any(provider.foreign_names for provider in settings.providers.values()):
        return
    names = [*settings.providers, *(["demo"] if settings.demo else [])]
    off = {name: kind.off for name, kind in registries.providers.items() if kind.off}
    off |= {} if settings.demo else {"demo": "the setting demo is false"}
    routes = {f"models.{name}": model.route for name, model in settings.models.items()}
    routes[shown.get("default_model", "default_model")] = (settings.default_model,)
    for name, route in routes.items():
        check_route(name, route, names, settings.models, off)


def starts_on_demand(environ: Mapping[str, str]) -> bool:
    """Return whether a request waits for this process, as for no other Lambda environment."""
    kind = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
    return "AWS_LAMBDA_RUNTIME_API" in environ and kind == "on-demand"


def _turned_on(environ: Mapping[str, str], registries: Registries) -> dict[str, Any]:
    """The providers that the environment's own variables turn on, one of a kind."""
    found = {name: kind.from_environment(environ) for name, kind in registries.providers.items()}
    return {name: {"kind": name, **on} for name, on in found.items() if on is not None}


def _providers(found: Any, registries: Registries) -> dict[str, ProviderSettings]:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise bad_setting("providers must be tables, [providers.NAME]")
    return {name: _provider(name, one, registries) for name, one in found.items()}


def _provider(name: str, found: dict[str, Any], registries: Registries) -> ProviderSettings:
    kind = registries.providers.get(found.get("kind", "openai"))
    if kind is None:
        raise one_of(f"providers.{name}.kind", found.get("kind"), registries.providers)
    settings: ProviderSettings = _converted(found, kind.settings, f"providers.{name}")
    return settings


def _check_auth(settings: Settings, registries: Registries, shown: str) -> None:
    method = registries.auth.get(settings.auth)
    if method is None:
        raise one_of(shown, settings.auth, registries.auth)
    options(settings, method)


def options(settings: Settings, method: AuthMethod) -> Struct:
    """Return ``auth_options`` as the method's own class.

    Raises:
        ProxyError: They do not fit it (``bad_setting``).
    """
    return _converted(settings.auth_options, method.options, "auth_options")


def _check_secrets(
    settings: Settings, environ: Mapping[str, str], shown: Mapping[str, str]
) -> None:
    check_given(shown.get("api_keys", "api_keys"), settings.api_keys, environ)
    check_given(shown.get("secret", "secret"), filter(None, [settings.secret]), environ)
    for name, provider in settings.providers.items():
        for field, value in provider.secrets().items():
            _check_provider_secret(f"providers.{name}.{field}", value, environ)


def _check_provider_secret(name: str, value: str, environ: Mapping[str, str]) -> None:
    check_reference(name, value)
    if is_reference(value):
        check_key(f"{name} ({value})", environ.get(value.removeprefix("env:"), ""))
    elif ".headers." in name:
        check_key(name, value)


def _name(variable: str) -> str:
    name = variable.removeprefix(PREFIX).lower()
    if name in _NOT_IN_ENVIRONMENT:
        raise bad_setting(f"{variable} cannot be set here; use tokenwire.toml")
    _check_known(name, variable)
    return name


def _check_known(name: str, shown: str) -> None:
    if name not in _KNOWN:
        # In the form in which it was written: TOKENWIRE_PROT has the nearest name TOKENWIRE_PORT.
        is_variable = shown.startswith(PREFIX)
        known = [f"{PREFIX}{one.upper()}" for one in _KNOWN] if is_variable else _KNOWN
        raise bad_setting(f"there is no setting {shown}{hint(shown, known)}")


def _value(name: str, text: str) -> Any:
    if name in _LISTS:
        return listed(text)
    return seconds(text) if name in _SECONDS else text


def _routes(found: Any) -> Any:
    """Expand ``NAME = "provider/model"``, which is short for a route of one model."""
    if not isinstance(found, dict):
        return found  # the validation refuses it
    return {k: {"route": [v]} if isinstance(v, str) else _timed(v) for k, v in found.items()}


def _timed(route: Any) -> Any:
    patience = route.get("patience") if isinstance(route, dict) else None
    return {**route, "patience": seconds(patience)} if isinstance(patience, str) else route


def _merged(found: dict[str, Any], given: Any) -> Any:
    """Add what the file gives for a provider to what its variables give."""
    if not isinstance(given, dict) or not all(isinstance(one, dict) for one in given.values()):
        return given  # the validation refuses it
    return found | {name: found.get(name, {}) | one for name, one in given.items()}


def _converted(
    found: Any, kind: type[_Struct], where: str, shown: Mapping[str, str] | None = None
) -> _Struct:
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise wrong_type(error, found, kind, where, shown or {}) from None
