"""Build and deploy with the SAM CLI."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import DeployError

SAM = (".cache/sam/bin/sam",)


class Sam:
    """The SAM CLI, with the variables that it gets.

    Args:
        environ: No key of a provider is among them.
        command: The program.
    """

    def __init__(self, environ: Mapping[str, str], command: Sequence[str] = SAM) -> None:
        self._environ, self._command = environ, command

    def build(self, architecture: str, folder: Path) -> None:
        """Build both artifacts into this folder.

        Raises:
            DeployError: The build failed; SAM has printed why.
        """
        overrides = ["--parameter-overrides", f"Architecture={architecture}"]
        # ARCH is what the make targets read.
        self._run(
            "build", "--build-in-source", "--build-dir", str(folder), *overrides, ARCH=architecture
        )

    def deploy(
        self, stack: str, parameters: Mapping[str, str], folder: Path, *, bucket: str, confirm: bool
    ) -> None:
        """Create or update the stack. Parameters that are not given keep their values.

        Args:
            stack: Its name.
            parameters: Of the template.
            folder: Where ``build`` has built.
            bucket: For the artifacts; SAM's own if empty.
            confirm: Whether SAM shows the changes and asks.

        Raises:
            DeployError: SAM or CloudFormation refused; SAM has printed why.
        """
        place = ["--s3-bucket", bucket] if bucket else ["--resolve-s3"]
        asks = "--confirm-changeset" if confirm else "--no-confirm-changeset"
        template = ["--template-file", str(folder / "template.yaml")]
        named = ["--stack-name", stack, "--s3-prefix", stack, "--capabilities", "CAPABILITY_IAM"]
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        options = [*template, *named, *place, asks, "--no-fail-on-empty-changeset"]
        self._run("deploy", *options, "--parameter-overrides", *overrides)

    def _run(self, *arguments: str, **more: str) -> None:
        environ = {**self._environ, **more, "SAM_CLI_TELEMETRY": "0"}
        ended = subprocess.run([*self._command, *arguments], env=environ, check=False)
        if ended.returncode:
            raise DeployError(f"sam {arguments[0]} failed; its output above says why.")


def outputs(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the stack's outputs by name."""
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def has_bytecode(folder: Path) -> bool:
    """Whether the built function has bytecode, without which cold starts take twice as long."""
    return any((folder / "ProxyFunction").glob("tokenwire/__pycache__/*.pyc"))
