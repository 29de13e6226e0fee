"""The kinds ``bedrock`` and ``bedrock-openai``: Amazon Bedrock, signed with AWS credentials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..kind import Dependencies, ProviderKind
from ..protocol import Provider
from ..settings import ProviderSettings

_DEFAULT_REGION = "us-east-1"
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_PREFERRED = ("*anthropic.claude-haiku-*", "amazon.nova-lite-*", "amazon.nova-*", "*anthropic.*")
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
        list_url: The address that lists the models, if it is not the region's own.
    """

    region: str | None = None
    list_url: str | None = None


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any] | None:
    region = _region(environ)
    if region is None:
        return None
    return {
        "region": region,
        "base_url": environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        "list_url": environ.get("AWS_ENDPOINT_URL_BEDROCK"),
    }


def _region(environ: Mapping[str, str]) -> str | None:
    """Return the region if there are credentials for it too, wherever AWS's tools find them."""
    region = next(filter(None, map(environ.get, _REGIONS)), None)
    if region and _has_variables(environ):
        return region
    # A function has its role's credentials in variables.
    is_lambda = "AWS_LAMBDA_RUNTIME_API" in environ
    if is_lambda or not (region or _has_profiles(environ)):
        return None
    # It takes 0.3 s to import, and up to a second to find out that this is no instance of EC2.
    try:
        from .chain import region_with_credentials
    except ImportError:
        return None
    return region_with_credentials(environ, region)


def _has_variables(environ: Mapping[str, str]) -> bool:
    return any(environ.get(name) for name in _CREDENTIALS)


def _has_profiles(environ: Mapping[str, str]) -> bool:
    """Return whether there is a file that may name a region."""
    home = environ.get("HOME") or environ.get("USERPROFILE")
    usual = str(Path(home, ".aws/config")) if home else ""
    named = environ.get("AWS_CONFIG_FILE") or usual
    return bool(named) and Path(named).is_file()


def _create_converse(name: str, settings: BedrockSettings, dependencies: Dependencies) -> Provider:
    from .provider import CONVERSE, create

    region = settings.region or _DEFAULT_REGION
    return create(name, region, settings, dependencies, CONVERSE, settings.list_url)


def _create_openai(name: str, settings: BedrockSettings, dependencies: Dependencies) -> Provider:
    from .provider import OPENAI, create

    region = settings.region or _DEFAULT_REGION
    return create(name, region, settings, dependencies, OPENAI, settings.list_url)


BEDROCK = ProviderKind(
    name="bedrock",
    settings=BedrockSettings,
    create=_create_converse,
    from_environment=_from_environment,
    off="no AWS credentials and region are found",
    prefers=_PREFERRED,
    needs_aws=True,
    otel_name="aws.bedrock",
    is_ambient=True,
)
"""The Converse API, for every model."""

BEDROCK_OPENAI = ProviderKind(
    name="bedrock-openai",
    settings=BedrockSettings,
    create=_create_openai,
    family="bedrock",
    prefers=_PREFERRED,
    needs_aws=True,
    otel_name="aws.bedrock",
)
"""The OpenAI-compatible endpoint, for the models that have one."""
