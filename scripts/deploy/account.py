"""The account to deploy to: its region, its credentials, and what they allow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from .errors import DeployError, code_of

POLICY = Path("examples/deploy/policy.json")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who deploys.

    Args:
        account: Twelve digits.
        arn: Of the user, the role or its session.
    """

    account: str
    arn: str


def region(environ: Mapping[str, str], profile: str | None) -> str:
    """Return the region that every tool is then given.

    Args:
        environ: The environment. Some tools read ``AWS_REGION``, others ``AWS_DEFAULT_REGION``.
        profile: The region of the profile.

    Raises:
        DeployError: There is none, or two.
    """
    one, other = environ.get("AWS_REGION"), environ.get("AWS_DEFAULT_REGION")
    if one and other and one != other:
        raise DeployError(
            f"AWS_REGION is {one}, but AWS_DEFAULT_REGION is {other}. The tools differ in which "
            "one they read: set both to the region to deploy to, or unset one."
        )
    found = one or other or profile
    if not found:
        raise DeployError(
            "There is no region: export AWS_REGION=…, or set one with `aws configure`."
        )
    return found


def identity(sts: Any) -> Identity:
    """Return who the credentials belong to.

    Raises:
        DeployError: There are none, or they are refused.
    """
    try:
        found = sts.get_caller_identity()
    except ClientError as error:
        raise DeployError(
            f"AWS refuses the credentials ({code_of(error)}). Renew them; {_LOGIN}"
        ) from None
    except BotoCoreError as error:
        raise DeployError(
            f"There are no usable AWS credentials ({code_of(error)}). Set them; {_LOGIN}"
        ) from None
    return Identity(found["Account"], found["Arn"])


_LOGIN = "with IAM Identity Center: `aws sso login`. `aws sts get-caller-identity` must succeed."


@dataclass(frozen=True, slots=True)
class Rights:
    """What is known about the rights to deploy.

    Args:
        refused: Actions that AWS would refuse.
        unknown: Why nothing is known; empty if it is.
    """

    refused: tuple[str, ...] = ()
    unknown: str = ""


def rights(iam: Any, who: Identity, where: str, policy: Path = POLICY) -> Rights:
    """Ask IAM whether the identity may do what the policy for deploying lists.

    Args:
        iam: The client.
        who: The identity.
        where: The region.
        policy: The document.
    """
    if who.arn.endswith(":root"):
        return Rights(unknown="the account's root user has no policies to check")
    refused: list[str] = []
    try:
        principal = _principal(iam, who)
        for actions, resources in _questions(policy, who, where):
            refused += _refused(iam, principal, actions, resources)
    except Exception as error:
        # Whatever answers in IAM's place: deploying does not depend on this check.
        return Rights(unknown=f"iam:SimulatePrincipalPolicy: {code_of(error)}")
    return Rights(tuple(sorted(set(refused))))


def _principal(iam: Any, who: Identity) -> str:
    """The ARN that has the policies: a session's role, with the path that the session lacks."""
    kind, _, name = who.arn.rpartition(":")[2].partition("/")
    if kind != "assumed-role":
        return who.arn
    role: str = iam.get_role(RoleName=name.partition("/")[0])["Role"]["Arn"]
    return role


def _questions(policy: Path, who: Identity, where: str) -> Iterator[tuple[list[str], list[str]]]:
    text = policy.read_text().replace("REGION", where).replace("ACCOUNT", who.account)
    partition = who.arn.split(":")[1]
    for statement in json.loads(text.replace("arn:aws:", f"arn:{partition}:"))["Statement"]:
        # A wildcard cannot be simulated, and a condition has a context of its own.
        actions = [action for action in _listed(statement["Action"]) if "*" not in action]
        if actions and "Condition" not in statement:
            yield actions, _listed(statement["Resource"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _refused(iam: Any, principal: str, actions: list[str], resources: list[str]) -> Iterator[str]:
    answer = iam.simulate_principal_policy(
        PolicySourceArn=principal, ActionNames=actions, ResourceArns=resources
    )
    for result in answer["EvaluationResults"]:
        if result["EvalDecision"] != "allowed":
            yield result["EvalActionName"]
