"""The page of the Python API: names of docstrings, which the generator reads from the source."""

from __future__ import annotations

# By section: what an application, or the author of a plugin, imports.
PUBLIC = {
    "The app": [
        "tokenwire.app.create_app",
        "tokenwire.settings.Settings",
        "tokenwire.settings.load",
    ],
    "The Lambda runtime": [
        "lambda_asgi.Handler",
        "lambda_asgi.Context",
        "lambda_asgi.UnsupportedEvent",
    ],
    "Providers": [
        "tokenwire.providers.kind.ProviderKind",
        "tokenwire.providers.protocol.Provider",
        "tokenwire.providers.settings.ProviderSettings",
    ],
    "Dialects": ["tokenwire.dialects.protocol.Dialect", "tokenwire.dialects.endpoint.Endpoint"],
    "Stores": [
        "tokenwire.stores.kind.StoreKind",
        "tokenwire.stores.contract.Store",
        "tokenwire.stores.contract.Writer",
        "tokenwire.stores.contract.Follower",
    ],
    "Ways of authenticating": [
        "tokenwire.auth.method.AuthMethod",
        "tokenwire.auth.callers.Authenticator",
        "tokenwire.auth.callers.Caller",
    ],
    "Errors": ["tokenwire.errors"],
}

_INTRODUCTION = """# Python API

These names are stable within a minor version until 1.0, and within a major version from then on.
[Architecture](../architecture.md#add-a-provider-kind) describes how to add a provider, a dialect, a
store and a way of authenticating from another package.
"""


def python_page() -> str:
    """Return the page, with one directive of mkdocstrings per name."""
    sections = [
        "\n\n".join([f"## {title}", *(f"::: {name}" for name in names)])
        for title, names in PUBLIC.items()
    ]
    return "\n\n".join([_INTRODUCTION, *sections, ""])
