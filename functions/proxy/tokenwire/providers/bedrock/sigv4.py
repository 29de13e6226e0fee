"""Signature Version 4 by botocore, with the process's credentials. Imported on first use."""

from __future__ import annotations

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from ...errors import ProxyError
from ..http import Call


class Signer:
    """Signer of requests to one AWS service. Blocking: obtaining credentials may call AWS.

    Args:
        service: The service's signing name.
        region: The AWS region.
    """

    def __init__(self, service: str, region: str) -> None:
        self._service = service
        self._region = region
        self._session = Session()

    def sign(self, url: str, content: bytes, method: str = "POST") -> Call:
        """Return a signed request with a JSON body.

        Raises:
            ProxyError: No credentials are available (503, ``secret_unavailable``).
        """
        try:
            found = self._session.get_credentials()
            credentials = found and found.get_frozen_credentials()
        except BotoCoreError as error:
            raise _unavailable(type(error).__name__) from None
        if not credentials:
            raise _unavailable("none found")
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        request = AWSRequest(method, url, headers=headers, data=content)
        SigV4Auth(credentials, self._service, self._region).add_auth(request)
        secrets = (credentials.secret_key or "", credentials.token or "")
        return Call(url, dict(request.headers.items()), content, secrets)


def _unavailable(why: str) -> ProxyError:
    return ProxyError(
        f"There are no AWS credentials to sign with ({why}). On Lambda they are the function's "
        "role; it needs bedrock:InvokeModelWithResponseStream.",
        code="secret_unavailable",
        status=503,
    )
