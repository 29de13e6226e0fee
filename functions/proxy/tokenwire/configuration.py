"""The one place that reads the process's environment and working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .parameters import ParameterStore
from .references import is_reference
from .registries import Registries
from .secrets import Secrets
from .settings import Settings, load, starts_on_demand
from .sources import environment


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that ``create_app`` needs to know about where it runs.

    Args:
        settings: Checked settings.
        secrets: Where the references in the settings are looked up.
        registries: What the settings can name.
        environ: The process's environment, with the variables that ``.env`` adds. Holds keys.
        color: Whether a terminal may be sent colours.
    """

    settings: Settings
    secrets: Secrets
    registries: Registries
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    color: bool = False

    @classmethod
    def of_process(cls, options: Mapping[str, str] | None = None) -> Configuration:
        """Read the environment, ``.env`` and ``tokenwire.toml`` of this process.

        Args:
            options: Of the command line, by the name of their setting. They win.

        Raises:
            ProxyError: The settings are wrong (``bad_setting``).
        """
        folder = Path.cwd()
        environ = environment(os.environ, folder)
        # AWS's libraries read the process's own environment.
        aws = {name: value for name, value in environ.items() if name.startswith("AWS_")}
        os.environ.update(aws)
        store, registries = ParameterStore(), Registries.load()
        settings = load(environ, folder, store.read, registries, options)
        secrets = Secrets(environ, references(settings), ttl=settings.secret_ttl, store=store)
        return cls(settings, secrets, registries, environ, wants_color())


def wants_color() -> bool:
    """Return whether a terminal may be sent colours: https://no-color.org."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_awaited() -> bool:
    """Return whether a request waits for this process to start: what can be deferred should be."""
    return starts_on_demand(os.environ)


def references(settings: Settings) -> frozenset[str]:
    """Return every reference in the settings, so that one call can fetch all of a folder."""
    values = [*settings.api_keys, settings.secret or ""]
    for provider in settings.providers.values():
        values += provider.secrets().values()
    return frozenset(filter(is_reference, values))
