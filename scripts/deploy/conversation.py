"""The conversation: check everything first, then ask, store, build, deploy, and show a stream."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config

from . import account, sam
from .choosing import choose, store_keys
from .console import Console
from .errors import DeployError
from .first_stream import Url, signer
from .options import Target, target
from .providers import CALLERS
from .secret_store import SecretStore

# The rights are checked once: deploying does not depend on the result.
_FEW_RETRIES = Config(retries={"total_max_attempts": 2}, read_timeout=10)
BUILD = Path(".aws-sam/build")
PYTHON = ("sh", "scripts/find_python.sh", "3.13")


@dataclass(frozen=True, slots=True)
class Ready:
    """What the checks have found.

    Args:
        session: Of the account and region.
        region: The region.
        environ: What the SAM CLI gets: the region in both variables.
    """

    session: boto3.Session
    region: str
    environ: Mapping[str, str]


class Conversation:
    """One run of ``make deploy``.

    Args:
        options: The command line.
        console: Who answers.
        environ: The environment.
        command: The SAM CLI.
        python: What finds the Python that makes bytecode.
    """

    def __init__(
        self,
        options: argparse.Namespace,
        console: Console,
        environ: Mapping[str, str],
        command: Sequence[str] = sam.SAM,
        python: Sequence[str] = PYTHON,
    ) -> None:
        self._options, self._console, self._environ = options, console, environ
        self._command, self._python = command, python

    def run(self) -> None:
        """Deploy.

        Raises:
            DeployError: It cannot go on.
        """
        where = target(Path.cwd(), self._options.env)
        ready = self._check(where)
        store = SecretStore(
            ready.session.client("ssm"),
            where.secrets_path,
            where.parameters.get("SecretsKeyArn", ""),
        )
        wanted = choose(self._options, self._console, store.names(), ready.region)
        self._console.say(f"Keys, in SSM as SecureStrings below {where.secrets_path}:")
        stored = store_keys(wanted, self._options, self._console, store)
        new_key = self._callers_key(store, stored)
        parameters = {**where.parameters, **wanted.parameters(stored), **self._given()}
        try:
            self._deploy(ready, where, parameters)
        finally:
            # Also after a failure: the key is stored, and the next run will not print it.
            if new_key:
                self._console.say(f"\nThe key of your callers, printed this once: {new_key}")
        self._show(ready, where, parameters, new_key or store.callers_key())

    def _check(self, where: Target) -> Ready:
        say = self._console.say
        say(f"Stack {where.stack}: checks first.")
        region = account.region(self._environ, boto3.Session().region_name)
        say(f"  region: {region}")
        session = boto3.Session(region_name=region)
        who = account.identity(session.client("sts"))
        say(f"  credentials: {who.arn}")
        rights = account.rights(session.client("iam", config=_FEW_RETRIES), who, region)
        if rights.refused:
            raise DeployError(
                f"These rights are missing: {', '.join(rights.refused)}. {account.POLICY} is the "
                "policy that deploying needs."
            )
        say(f"  rights: {f'not checked ({rights.unknown})' if rights.unknown else 'sufficient'}")
        self._check_python()
        return Ready(
            session, region, {**self._environ, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        )

    def _check_python(self) -> None:
        found = subprocess.run(self._python, capture_output=True, text=True, check=False)
        if not found.returncode:
            return self._console.say(f"  Python for bytecode: {found.stdout.strip()}")
        self._console.say(
            "  Python for bytecode: there is no python3.13 here; without its bytecode, cold starts "
            "take about twice as long. `.cache/tools/bin/uv python install 3.13` gets one."
        )
        if self._console.ask("Deploy without bytecode (yes, no)", "yes") != "yes":
            raise DeployError("Nothing was deployed.")
        return None

    def _callers_key(self, store: SecretStore, stored: frozenset[str]) -> str:
        if CALLERS in stored:
            self._console.say(f"  {store.path}/{CALLERS}: kept")
            return ""
        self._console.say(f"  {store.path}/{CALLERS}: written, with a new key for your callers")
        return store.make_callers_key()

    def _given(self) -> dict[str, str]:
        pairs = [pair.partition("=") for pair in self._options.parameter]
        if not all(sign for _, sign, _ in pairs):
            raise DeployError("--parameter takes NAME=VALUE.")
        return {name: value for name, _, value in pairs}

    def _deploy(self, ready: Ready, where: Target, parameters: Mapping[str, str]) -> None:
        tool = sam.Sam(ready.environ, self._command)
        tool.build(parameters.get("Architecture", "arm64"), BUILD)
        if not sam.has_bytecode(BUILD):
            self._console.say("The artifact has no bytecode: cold starts take about twice as long.")
        asks = where.confirm and self._console.interactive
        tool.deploy(where.stack, parameters, BUILD, bucket=self._options.bucket, confirm=asks)

    def _show(self, ready: Ready, where: Target, parameters: Mapping[str, str], key: str) -> None:
        outputs = sam.outputs(ready.session.client("cloudformation"), where.stack)
        base_url = outputs["Url"]
        self._console.say(f"URL: {base_url} (for the OpenAI SDKs: {base_url}v1)")
        credentials = ready.session.get_credentials()
        sign = None
        if parameters.get("AuthType") == "AWS_IAM" and credentials is not None:
            sign = signer(credentials, ready.region)
        with Url(base_url, key, sign) as url:
            model = self._options.model or url.model()
            self._console.say(f"A first stream, of {model}:")
            self._console.say(f"  {''.join(url.stream(model)).strip()}")
