"""Errors that end the deployment."""

from __future__ import annotations


class DeployError(Exception):
    """Deploying cannot continue; the message has the cause, and what to do."""


def code_of(error: Exception) -> str:
    """Return the code of an error of AWS; the name of its class if it has none.

    Only the code goes into messages: AWS's text may quote the request.
    """
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or type(error).__name__)
