"""Parameters of SSM, read through Powertools, and the errors for secrets that cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .errors import ProxyError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

_REFUSALS = {"AccessDeniedException", "ParameterNotFound", "ValidationException"}
_Answer = TypeVar("_Answer")
CREATE = (
    "create it, or allow ssm:GetParametersByPath (or ssm:GetParameter) on it and kms:Decrypt on "
    "its key"
)
"""What to do about a parameter that is not there."""


class ParameterStore:
    """SSM Parameter Store, through Powertools."""

    def __init__(self) -> None:
        self._made: SSMProvider | None = None

    def prepare(self) -> None:
        """Import boto3 and make its client: half a second of CPU."""
        self._provider("the parameters")

    def read(self, path: str) -> str:
        """Return one parameter: for the configuration.

        Raises:
            ProxyError: There is none, or it cannot be read.
        """
        found = self.fetch(frozenset({path}))
        if path not in found:
            raise missing(f"ssm:{path}", CREATE)
        return found[path]

    def _provider(self, what: str) -> SSMProvider:
        self._made = self._made or _connect(what)
        return self._made

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """Return the decrypted values of these paths, without those that cannot be read.

        This takes one call for each folder, and one more for each parameter that the call for its
        folder did not return.

        Raises:
            ProxyError: As ``Store.fetch``; the message names the parameters and the IAM actions.
        """
        provider = self._provider(", ".join(sorted(paths)))
        found: dict[str, str] = {}
        for folder in {path.rpartition("/")[0] for path in paths} - {""}:
            listed = _call(partial(provider.get_multiple, folder, decrypt=True), folder)
            found |= {f"{folder}/{name}": str(value) for name, value in (listed or {}).items()}
        for path in paths - found.keys():
            value = _call(partial(provider.get, path, decrypt=True), path)
            found |= {} if value is None else {path: str(value)}
        return {path: found[path] for path in paths if path in found}


def _connect(what: str) -> SSMProvider:
    try:
        from aws_lambda_powertools.utilities.parameters import SSMProvider
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise _unreachable(what, "boto3 is not installed") from None
    # A request waits for this: boto's own minute a try is too long.
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        return SSMProvider(boto_config=config)
    except BotoCoreError as error:
        raise _unreachable(what, type(error).__name__) from None


def _call(call: Callable[..., _Answer], what: str) -> _Answer | None:
    """Return the store's answer; None if the path does not exist or may not be read.

    Raises:
        ProxyError: It does not answer.
    """
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
    from botocore.exceptions import ClientError

    try:
        return call(force_fetch=True)
    except GetParameterError as error:
        # Powertools has one class for all that can go wrong; what did is behind it.
        cause = error.__context__
        kind = type(cause).__name__
        if isinstance(cause, ClientError):
            kind = str(cause.response["Error"]["Code"])
        if kind in _REFUSALS:
            return None
        raise _unreachable(what, kind) from None


def _unreachable(what: str, kind: str) -> ProxyError:
    # boto3's text can quote the request, so only the kind of the error is passed on.
    return unavailable(
        f"SSM cannot be read for {what} ({kind}). The function's role needs "
        "ssm:GetParametersByPath (or ssm:GetParameter) on it, and kms:Decrypt on its key."
    )


def missing(reference: str, cure: str) -> ProxyError:
    """Return the error for a reference that leads to no value.

    Args:
        reference: As in the settings.
        cure: What to do about it.
    """
    return unavailable(f"There is no value for {reference}: {cure}.")


def unavailable(message: str) -> ProxyError:
    """Return the error for a secret that cannot be read (503, ``secret_unavailable``)."""
    return ProxyError(message, code="secret_unavailable", status=503)
