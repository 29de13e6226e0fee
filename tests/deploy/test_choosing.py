"""Which providers are deployed, and the stack of each environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scripts.deploy.choosing import choose, read_keys
from scripts.deploy.console import Unattended
from scripts.deploy.errors import DeployError
from scripts.deploy.options import parser, target
from scripts.deploy.providers import model_arns

NOTHING: frozenset[str] = frozenset()


def parameters(*arguments: str, stored: frozenset[str] = NOTHING) -> dict[str, str]:
    """Return the template's parameters for a command line, once its keys are stored."""
    wanted = choose(parser().parse_args(arguments), Unattended(), stored, "us-east-1")
    return wanted.parameters(stored | {provider.secret for provider in wanted.keyed})


@pytest.mark.parametrize(
    ("arguments", "stored", "expected"),
    [
        (["--provider", "anthropic"], [], {"AnthropicKey"}),
        (["--provider", "openai", "--provider", "gemini"], [], {"OpenAIKey", "GeminiKey"}),
        # A provider that is deployed stays on.
        (["--provider", "gemini"], ["anthropic-api-key"], {"AnthropicKey", "GeminiKey"}),
        ([], ["anthropic-api-key", "api-keys"], {"AnthropicKey"}),
    ],
)
def test_providers_with_a_stored_key_are_on(
    arguments: list[str], stored: list[str], expected: set[str]
) -> None:
    """The template's switches follow what SSM has."""
    found = parameters(*arguments, stored=frozenset(stored))
    assert {name for name, value in found.items() if value == "true"} == expected
    assert found.keys() == {"OpenAIKey", "AnthropicKey", "GeminiKey"}


def test_compatible_api_and_bedrock_have_parameters() -> None:
    """The compatible API takes OpenAI's place; Bedrock has its models, and no key."""
    url = "https://models.example.test/v1"
    found = parameters(
        *("--provider", "compatible", "--base-url", url),
        *("--provider", "bedrock", "--bedrock-models", "vendor.model-v1:0,arn:aws:bedrock:x"),
    )
    assert found["OpenAIBaseUrl"] == url
    assert found["OpenAIKey"] == "true"
    arns = found["BedrockModelArns"].split(",")
    assert arns == list(model_arns("vendor.model-v1:0, arn:aws:bedrock:x", "us-east-1"))
    assert arns[0] == "arn:aws:bedrock:us-east-1::foundation-model/vendor.model-v1:0"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--provider", "openai", "--provider", "compatible"], "tokenwire.toml"),
        (["--provider", "compatible"], "--base-url https://"),
        (["--provider", "compatible", "--base-url", "http://plain.test"], "--base-url https://"),
        (["--provider", "bedrock"], "--bedrock-models"),
    ],
)
def test_choices_that_cannot_be_deployed(arguments: list[str], text: str) -> None:
    """The error names the option that is missing."""
    with pytest.raises(DeployError, match=text):
        parameters(*arguments)


@pytest.mark.parametrize("line", ["sk-secret", "unknown=sk-secret", "openai="])
def test_malformed_line_of_keys_is_not_quoted(line: str) -> None:
    """Only its number is named: it may be a key."""
    with pytest.raises(DeployError, match="Line 3 of stdin is not PROVIDER=KEY") as raised:
        read_keys(["openai=sk-one\n", "\n", line])
    assert "secret" not in str(raised.value)
    assert read_keys(["openai = sk=one= \n"]) == {"openai": "sk=one="}


@pytest.mark.parametrize(
    ("env", "stack", "more"),
    [
        ("default", "tokenwire", {"SecretsPath": "/tokenwire"}),
        ("prod", "tokenwire-prod", {"SecretsPath": "/tokenwire-prod", "MemorySize": "1024"}),
        ("staging", "tokenwire-staging", {"SecretsPath": "/tokenwire-staging"}),
    ],
)
def test_each_environment_has_its_stack_and_secrets(
    env: str, stack: str, more: dict[str, str]
) -> None:
    """Also one that ``samconfig.toml`` does not know."""
    found = target(Path(), env)
    assert found.stack == stack
    expected: dict[str, Any] = {"Architecture": "arm64", **more}
    assert {name: found.parameters.get(name) for name in expected} == expected
    assert found.secrets_path == more["SecretsPath"]
    assert found.confirm == (env == "prod")
