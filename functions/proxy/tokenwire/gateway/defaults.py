"""The model of a request that names none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from ..errors import ClientError
from ..providers.protocol import Role
from ..telemetry import is_recordable
from .checks import Check, Status
from .services import Services

_NUMBER = re.compile(r"\d+")
# Models of other kinds in the same lists.
_NO_CHAT = re.compile(
    r"audio|babbage|computer|dall-e|davinci|embed|guard|image|instruct|moderation|ocr|realtime"
    r"|rerank|search|sora|speech|transcribe|tts|veo|whisper"
)


async def required_model(services: Services) -> str:
    """Return the model of a request without one.

    Raises:
        ClientError: There is none (404, ``model_not_found``).
    """
    found = services.catalog.default or default_of(await services.checks.results(), services.roles)
    if not found:
        raise ClientError(
            "The request names no model, and this server has no default: none of its providers "
            "can be used, or none lists its models. Name a model, or set "
            "TOKENWIRE_DEFAULT_MODEL=provider/model.",
            code="model_not_found",
            status=404,
            param="model",
        )
    return found


def known_default(services: Services) -> str:
    """Return the same as far as it is known now; empty if there is none."""
    return services.catalog.default or default_of(services.checks.latest, services.roles)


def default_of(checks: Mapping[str, Check], roles: Mapping[str, Role]) -> str:
    """Return the first usable model of the first provider that has one; empty without any.

    A stand-in is used only where no real provider is configured and none can be used.

    Args:
        checks: What is known of each provider, by name.
        roles: What each provider is for, by name.
    """
    real = [name for name, role in roles.items() if not role.is_stand_in]
    if found := next(_usable(real, checks, roles), ""):
        return found
    if any(not roles[name].is_ambient for name in real):
        return ""
    if any(checks[name].status is Status.UNKNOWN for name in real):
        return ""
    return next(_usable([name for name in roles if name not in real], checks, roles), "")


def _usable(
    names: Sequence[str], checks: Mapping[str, Check], roles: Mapping[str, Role]
) -> Iterator[str]:
    for name in names:
        if checks[name].status is Status.OK and (model := best(checks[name].models, roles[name])):
            yield f"{name}/{model}"


def best(models: Sequence[str], role: Role) -> str:
    """Return the model of a list that suits a request without one; empty without any.

    That is the first configured one; else the highest version among those of the first pattern
    that any fits, else the first.
    """
    if role.models:
        return role.models[0]
    chats = [name for name in models if is_recordable(name) and not _NO_CHAT.search(name)]
    for pattern in role.prefers:
        if fitting := [name for name in chats if fnmatchcase(name, pattern)]:
            return max(fitting, key=_version)
    return next(iter(chats), "")


def _version(name: str) -> list[int]:
    return [int(number[:9]) for number in _NUMBER.findall(name)]
