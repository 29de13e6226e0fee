"""The providers that can be deployed: their parameters in SSM, and in the template."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider with a key.

    Args:
        name: As in ``--provider``, and before the ``=`` of a line of ``--keys-stdin``.
        title: As people know it.
        secret: The parameter in SSM, below the stack's path.
        switch: The template's parameter for whether that secret exists.
    """

    name: str
    title: str
    secret: str
    switch: str


KEYED = (
    Provider("openai", "OpenAI", "openai-api-key", "OpenAIKey"),
    Provider("anthropic", "Anthropic", "anthropic-api-key", "AnthropicKey"),
    Provider("gemini", "Gemini", "gemini-api-key", "GeminiKey"),
)
COMPATIBLE = Provider("compatible", "an OpenAI-compatible API", "openai-api-key", "OpenAIKey")
"""In OpenAI's place; both need a ``tokenwire.toml``."""
BEDROCK = "bedrock"
NAMES = (*(provider.name for provider in KEYED), COMPATIBLE.name, BEDROCK)
CALLERS = "api-keys"
"""The parameter with the keys of callers."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person or a command line has chosen.

    Args:
        keyed: Providers with a key.
        base_url: The compatible API's.
        bedrock_arns: What may be called on Bedrock.
    """

    keyed: tuple[Provider, ...] = ()
    base_url: str = ""
    bedrock_arns: tuple[str, ...] = ()

    def parameters(self, stored: frozenset[str]) -> dict[str, str]:
        """Return the template's parameters for these providers, and those with a stored key.

        Args:
            stored: The names in SSM, below the stack's path.
        """
        found = {each.switch: str(each.secret in stored).lower() for each in KEYED}
        if self.base_url:
            found["OpenAIBaseUrl"] = self.base_url
        if self.bedrock_arns:
            found["BedrockModelArns"] = ",".join(self.bedrock_arns)
        return found


def model_arns(models: str, region: str) -> tuple[str, ...]:
    """Return ARNs for Bedrock models, given as ARNs or model ids with commas between."""
    names = [name.strip() for name in models.split(",") if name.strip()]
    return tuple(
        name if name.startswith("arn:") else f"arn:aws:bedrock:{region}::foundation-model/{name}"
        for name in names
    )
