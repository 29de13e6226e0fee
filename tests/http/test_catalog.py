"""Model names: a provider's prefix, an alias, a bare name; a typo gets the nearest name."""

from __future__ import annotations

import pytest

from tokenwire.errors import ClientError
from tokenwire.gateway.catalog import Catalog
from tokenwire.providers.demo import Demo
from tokenwire.settings import ModelSettings

ALIASES = {"best": ModelSettings(route=("openai/gpt-5",))}


def catalog(*names: str, foreign: str | None = None) -> Catalog:
    """A catalog of providers with these names, and the demo."""
    providers = {name: Demo(1.0) for name in (*names, "demo")}
    return Catalog(providers, ALIASES, "demo/markdown", foreign=foreign, stand_ins={"demo"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("opnai/gpt-5", "Did you mean openai/…?"),
        ("OpenAI/gpt-5", "Did you mean openai/…?"),
        ("beste/x", "Did you mean best?"),
        ("unknown/none", "the available ones."),
        ("x" * 100_000 + "/y", "the available ones."),
    ],
)
def test_prefix_of_no_provider_is_not_found(name: str, hint: str) -> None:
    """An unknown prefix is a 404 with a hint; the name does not go to the first provider."""
    with pytest.raises(ClientError) as caught:
        catalog("openai", "anthropic").resolve(name)
    error = caught.value
    assert (error.status, error.code, error.param) == (404, "model_not_found", "model")
    assert error.message.endswith(hint)


@pytest.mark.parametrize("name", ["meta-llama/llama-4", "opnai/gpt-5", "a/b/c"])
def test_one_provider_may_take_foreign_names(name: str) -> None:
    """The ``foreign`` provider gets such a name unchanged, wherever it is in the list."""
    both = catalog("openai", "router", foreign="router")
    found = both.resolve(name).routes[0]
    assert found.model == name
    assert found.provider is both.resolve("router/x").routes[0].provider


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("openai/gpt-5", "gpt-5"),
        ("openai/ft:gpt-5/x", "ft:gpt-5/x"),
        ("gpt-5", "gpt-5"),
        ("best", "gpt-5"),
        ("gpt-5/", "gpt-5/"),
        ("arn:aws:bedrock:eu-central-1::inference-profile/x", None),
    ],
)
def test_other_names_are_found(name: str, model: str | None) -> None:
    """Prefixed and bare names, aliases, and names whose slash follows no provider's name."""
    assert catalog("openai").resolve(name).routes[0].model == (model or name)


def test_no_provider_but_the_demo() -> None:
    """Bare names do not go to the demo: they are a 404 with a hint."""
    with pytest.raises(ClientError) as caught:
        catalog().resolve("demo-fast")
    assert caught.value.message.endswith("Did you mean demo/…?")
