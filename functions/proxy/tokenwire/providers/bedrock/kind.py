"""The kinds ``bedrock`` and ``bedrock-openai``: Amazon Bedrock, signed with AWS credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..kind import Dependencies, ProviderKind
from ..protocol import Provider
from ..settings import ProviderSettings

_DEFAULT_REGION = "us-east-1"
_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


class BedrockSettings(ProviderSettings, frozen=True, kw_only=True):
    """Settings of Bedrock. It has no key: requests are signed with the AWS credential chain.

    Args:
        region: Where the models run; by default ``us-east-1``.
    """

    region: str | None = None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any] | None:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    if not region or not any(environ.get(name) for name in _CREDENTIALS):
        return None
    return {"region": region, "base_url": environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")}


def _create_converse(name: str, settings: BedrockSettings, dependencies: Dependencies) -> Provider:
    from .provider import CONVERSE, create

    return create(name, settings.region or _DEFAULT_REGION, settings, dependencies, CONVERSE)


def _create_openai(name: str, settings: BedrockSettings, dependencies: Dependencies) -> Provider:
    from .provider import OPENAI, create

    return create(name, settings.region or _DEFAULT_REGION, settings, dependencies, OPENAI)


BEDROCK = ProviderKind(
    name="bedrock",
    settings=BedrockSettings,
    create=_create_converse,
    from_environment=_from_environment,
    off="no AWS credentials and region are set",
)
"""The Converse API, for every model."""

BEDROCK_OPENAI = ProviderKind(
    name="bedrock-openai", settings=BedrockSettings, create=_create_openai
)
"""The OpenAI-compatible endpoint, for the models that have one."""
