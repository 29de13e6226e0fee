"""The stack's secrets in SSM Parameter Store."""

from __future__ import annotations

import secrets
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .errors import DeployError, code_of
from .providers import CALLERS


class SecretStore:
    """The parameters below one path.

    Args:
        ssm: The client.
        path: Such as ``/tokenwire``.
        kms_key: The id of a key of your own; SSM's if empty.
    """

    def __init__(self, ssm: Any, path: str, kms_key: str = "") -> None:
        self._ssm, self.path, self._kms_key = ssm, path, kms_key

    def names(self) -> frozenset[str]:
        """Return the names of the parameters, without the path.

        Raises:
            DeployError: SSM refuses to list them.
        """
        try:
            pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=self.path)
            found = [one["Name"] for page in pages for one in page["Parameters"]]
        except (BotoCoreError, ClientError) as error:
            raise _refused("ssm:GetParametersByPath", self.path, error) from None
        return frozenset(name.removeprefix(f"{self.path}/") for name in found)

    def put(self, name: str, value: str) -> None:
        """Write a SecureString, in place of the one that is there.

        Raises:
            DeployError: SSM refuses.
        """
        more = {"KeyId": self._kms_key} if self._kms_key else {}
        try:
            self._ssm.put_parameter(
                Name=f"{self.path}/{name}", Value=value, Type="SecureString", Overwrite=True, **more
            )
        except (BotoCoreError, ClientError) as error:
            raise _refused("ssm:PutParameter", f"{self.path}/{name}", error) from None

    def make_callers_key(self) -> str:
        """Write a new key for callers, and return it."""
        key = f"tw_{secrets.token_urlsafe(30)}"
        self.put(CALLERS, key)
        return key

    def callers_key(self) -> str:
        """Return the first of the callers' keys, for the first stream.

        Raises:
            DeployError: It cannot be read.
        """
        name = f"{self.path}/{CALLERS}"
        try:
            found = self._ssm.get_parameter(Name=name, WithDecryption=True)
        except (BotoCoreError, ClientError) as error:
            raise _refused("ssm:GetParameter", name, error) from None
        value: str = found["Parameter"]["Value"]
        return value.partition(",")[0].strip()


def _refused(action: str, name: str, error: Exception) -> DeployError:
    return DeployError(f"{action} on {name} failed: {code_of(error)}.")
