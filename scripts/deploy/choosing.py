"""Which providers: from the command line, from a person, or from what SSM has."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from .console import Console
from .errors import DeployError
from .providers import BEDROCK, COMPATIBLE, KEYED, NAMES, Provider, Wanted, model_arns
from .secret_store import SecretStore

_BOTH = (
    "OpenAI and an OpenAI-compatible API share one key here. For both, describe the compatible "
    "one in tokenwire.toml, which is deployed too: docs/deploy.md."
)


def choose(
    options: argparse.Namespace, console: Console, stored: frozenset[str], region: str
) -> Wanted:
    """Return the providers to turn on.

    Args:
        options: The command line.
        console: Asks, if the command line names none.
        stored: The names that SSM has: their providers stay on.
        region: For the ARNs of Bedrock's models.

    Raises:
        DeployError: The choice cannot be deployed.
    """
    names = options.provider or _chosen(console, stored)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise DeployError(f"{unknown[0]} is no provider; there are {', '.join(NAMES)}.")
    if {"openai", COMPATIBLE.name} <= set(names):
        raise DeployError(_BOTH)
    url = options.base_url
    if COMPATIBLE.name in names and not url:
        url = console.ask("The base URL of the compatible API, such as https://host/v1")
    if COMPATIBLE.name in names and not url.startswith("https://"):
        raise DeployError("The compatible API needs --base-url https://…")
    arns = _bedrock(options, console, region) if BEDROCK in names else ()
    return Wanted(tuple(p for p in (*KEYED, COMPATIBLE) if p.name in names), url, arns)


def _chosen(console: Console, stored: frozenset[str]) -> list[str]:
    kept = [provider.name for provider in KEYED if provider.secret in stored]
    default = ",".join(kept)
    console.say(f"Providers: {', '.join(NAMES)}.")
    answer = console.ask("Which ones (commas between)", default)
    return [name.strip().lower() for name in answer.split(",") if name.strip()]


def _bedrock(options: argparse.Namespace, console: Console, region: str) -> tuple[str, ...]:
    models = options.bedrock_models or console.ask("Bedrock's models (ids or ARNs, commas between)")
    arns = model_arns(models, region)
    if not arns:
        raise DeployError("Bedrock needs --bedrock-models: the function may call these alone.")
    return arns


def read_keys(lines: Iterable[str]) -> dict[str, str]:
    """Return keys by provider, from lines ``PROVIDER=KEY``.

    Raises:
        DeployError: A line is no such line. It is not quoted.
    """
    found = {}
    for number, line in enumerate(lines, 1):
        name, sign, key = (part.strip() for part in line.partition("="))
        if not line.strip():
            continue
        if not (sign and key) or name not in NAMES:
            raise DeployError(f"Line {number} of stdin is not PROVIDER=KEY.")
        found[name] = key
    return found


def store_keys(
    wanted: Wanted, options: argparse.Namespace, console: Console, store: SecretStore
) -> frozenset[str]:
    """Write the keys that are new; return the names that SSM has then.

    Raises:
        DeployError: A key is missing.
    """
    given = read_keys(sys.stdin) if options.keys_stdin else {}
    stored = store.names()
    for provider in wanted.keyed:
        key = given.get(provider.name) or _asked_key(console, provider, provider.secret in stored)
        if key:
            store.put(provider.secret, key)
            console.say(f"  {store.path}/{provider.secret}: written")
            stored |= {provider.secret}
        elif provider.secret in stored:
            console.say(f"  {store.path}/{provider.secret}: kept")
        else:
            raise DeployError(
                f"There is no key for {provider.title}: neither on stdin (--keys-stdin, "
                f"{provider.name}=…), nor in {store.path}/{provider.secret}."
            )
    return stored


def _asked_key(console: Console, provider: Provider, is_stored: bool) -> str:
    hint = " (empty: keep the stored one)" if is_stored else ""
    return console.ask_secret(f"The key for {provider.title}{hint}, not displayed")
