"""What ends the conversation."""

from __future__ import annotations


class DeployError(Exception):
    """Deploying cannot go on; the message says why, and what to do."""
