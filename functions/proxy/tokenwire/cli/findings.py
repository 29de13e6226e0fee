"""What ``tokenwire check`` and ``tokenwire doctor`` find out, and what to do about it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ..configuration import Configuration, references
from ..errors import TokenwireError
from ..gateway.checks import Check, Status
from ..gateway.services import Services
from ..references import check_key, check_secret, listed
from ..stores.contract import NameBinding, Store
from ..stores.kind import StoreKind

_MOST_SKEW = 60.0
"""Seconds that this clock may differ from a provider's; AWS refuses signatures after 300."""
_NAME, _BINDING = "tokenwire doctor", NameBinding("st_doctor")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Args:
        subject: What it is.
        detail: Its state.
        cure: What to do about it; empty if nothing is wrong.
    """

    subject: str
    detail: str
    cure: str = ""


async def of_references(found: Configuration) -> AsyncIterator[Finding]:
    """Look up every reference of the settings. Values are not part of any finding."""
    for reference in sorted(references(found.settings)):
        try:
            value = await found.secrets.get(reference)
            if reference in (*found.settings.api_keys, found.settings.secret):
                for part in listed(value):
                    check_secret(reference, part)
            else:
                check_key(reference, value)
            yield Finding(reference, "has a value")
        except TokenwireError as error:
            yield Finding(reference, error.message, "the setting that names it cannot be used")


def of_provider(name: str, check: Check, keys: Iterable[str]) -> Finding:
    """Return what a provider has answered, and what to do.

    Args:
        name: Of the provider.
        check: What is known of it.
        keys: The references that its requests use.
    """
    used = ", ".join(keys) or "AWS's credentials (aws sts get-caller-identity)"
    cures = {
        Status.REFUSED: f"correct {used}, or make a new key at the provider",
        Status.NO_KEY: f"give {used} a value, or remove the provider",
        Status.UNREACHABLE: "compare its base_url, and the network and proxy of this machine",
        Status.FAILED: "try again; if it stays so, the provider's status page may tell why",
    }
    return Finding(name, check.detail, cures.get(check.status, ""))


async def of_store(store: Store, kind: StoreKind) -> Finding:
    """Write a name to the store and read it again."""
    if not store.shared:
        return Finding("store", f"{kind.name}: {kind.description}")
    try:
        await store.prepare()
        await store.name(_NAME, _BINDING)
        is_there = await store.lookup(_NAME) == _BINDING
    except Exception as error:
        # Also what AWS's library raises for credentials that are not complete.
        why = error.message if isinstance(error, TokenwireError) else type(error).__name__
        return Finding("store", f"{kind.name}: {why}", "compare the address and the rights")
    finally:
        await store.aclose()
    if not is_there:
        return Finding("store", f"{kind.name}: it does not keep what is written", "replace it")
    return Finding("store", f"{kind.name}: writes and reads")


def of_region(environ: Mapping[str, str], *, needs_aws: bool) -> Finding:
    """Compare the two variables that name a region: AWS's tools do not agree on one."""
    used, default = environ.get("AWS_REGION"), environ.get("AWS_DEFAULT_REGION")
    if used and default and used != default:
        detail = f"AWS_REGION is {used}, AWS_DEFAULT_REGION is {default}"
        return Finding("region", detail, "set both to the same region")
    if used or default:
        return Finding("region", str(used or default))
    if needs_aws and "AWS_PROFILE" not in environ:
        return Finding("region", "none is set", "set AWS_REGION and AWS_DEFAULT_REGION")
    return Finding("region", "of the profile" if needs_aws else "none is set, and none is needed")


def of_origins(services: Services) -> Finding:
    """Tell which pages may call this server."""
    origins = services.settings.cors_origins
    if "*" in origins and services.settings.auth == "none":
        cure = "set TOKENWIRE_API_KEYS, or name the origins in TOKENWIRE_CORS_ORIGINS"
        return Finding("CORS", "any page anywhere may use this server, without a key", cure)
    return Finding("CORS", ", ".join(origins) or "only pages that this server itself serves")


def of_clock(checks: Iterable[Check], now: float) -> Finding:
    """Compare this machine's clock with those of the providers.

    Args:
        checks: What the providers have just answered.
        now: Seconds since 1970, by this machine.
    """
    skews = [now - then for check in checks if (then := _seconds(check.date)) is not None]
    if not skews:
        return Finding("clock", "not compared: no provider has sent its time")
    skew = min(skews, key=abs)
    if abs(skew) <= _MOST_SKEW:
        return Finding("clock", "agrees with the providers'")
    detail = f"{abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} the providers'"
    return Finding("clock", detail, "set it by NTP: signatures and tickets depend on it")


def now() -> float:
    """Return the seconds since 1970."""
    return time.time()


def _seconds(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
