"""What ``make deploy`` finds out about an account before it changes anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from scripts.deploy.account import POLICY, Identity, identity, region, rights
from scripts.deploy.errors import DeployError

USER = Identity("123456789012", "arn:aws:iam::123456789012:user/me")


class Iam:
    """IAM, which allows all but some actions.

    Args:
        refuses: These actions.
    """

    def __init__(self, *refuses: str) -> None:
        self._refuses = refuses
        self.requests: list[dict[str, Any]] = []

    def get_role(self, RoleName: str) -> Any:  # noqa: N803 - boto3's name
        """Return a role with a path, which the ARN of its session lacks."""
        return {"Role": {"Arn": f"arn:aws:iam::123456789012:role/aws-reserved/{RoleName}"}}

    def simulate_principal_policy(self, **request: Any) -> Any:
        """Decide about each action."""
        self.requests.append(request)
        decisions = [
            (name, "implicitDeny" if name in self._refuses else "allowed")
            for name in request["ActionNames"]
        ]
        results = [{"EvalActionName": name, "EvalDecision": what} for name, what in decisions]
        return {"EvaluationResults": results}


class Refusing:
    """STS or IAM that refuse every request."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_caller_identity(self) -> Any:
        """Refuse."""
        raise self._error

    def simulate_principal_policy(self, **_: Any) -> Any:
        """Refuse."""
        raise self._error


def refusal(code: str) -> ClientError:
    """Return AWS's refusal, whose text is not for a terminal."""
    return ClientError({"Error": {"Code": code, "Message": "of the token FwoGZX…"}}, "Any")


@pytest.mark.parametrize(
    ("environ", "profile"),
    [
        ({"AWS_REGION": "eu-west-1"}, None),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "us-east-1"),
        ({"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}, None),
        ({}, "eu-west-1"),
    ],
)
def test_either_variable_or_the_profile_gives_the_region(
    environ: dict[str, str], profile: str | None
) -> None:
    """The variables win over the profile."""
    assert region(environ, profile) == "eu-west-1"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (refusal("ExpiredToken"), r"refuses the credentials \(ExpiredToken\).*aws sso login"),
        (NoCredentialsError(), r"no usable AWS credentials \(NoCredentialsError\)"),
    ],
)
def test_refused_credentials_are_one_sentence(error: Exception, text: str) -> None:
    """It says how to get others, and quotes nothing."""
    with pytest.raises(DeployError, match=text) as raised:
        identity(Refusing(error))
    assert "FwoGZX" not in str(raised.value)


def test_missing_rights_are_named() -> None:
    """Each action of the policy is checked, with the resources of its statement."""
    iam = Iam("ssm:PutParameter", "iam:CreateRole")
    found = rights(iam, USER, "eu-west-1")
    assert found.refused == ("iam:CreateRole", "ssm:PutParameter")
    (keys,) = (request for request in iam.requests if "ssm:PutParameter" in request["ActionNames"])
    assert keys["ResourceArns"] == ["arn:aws:ssm:eu-west-1:123456789012:parameter/tokenwire*"]
    assert keys["PolicySourceArn"] == USER.arn


def test_rights_of_a_session_are_its_role_s() -> None:
    """The ARN of a session has no path; the role's has, and the partition is the session's."""
    iam = Iam()
    arn = "arn:aws-us-gov:sts::123456789012:assumed-role/Deployer/me@example.test"
    assert rights(iam, Identity("123456789012", arn), "us-gov-west-1").refused == ()
    sources = {request["PolicySourceArn"] for request in iam.requests}
    assert sources == {"arn:aws:iam::123456789012:role/aws-reserved/Deployer"}
    resources = [arn for request in iam.requests for arn in request["ResourceArns"] if arn != "*"]
    assert all(arn.startswith("arn:aws-us-gov:") for arn in resources)


@pytest.mark.parametrize(
    ("iam", "who", "text"),
    [
        (Refusing(refusal("AccessDenied")), USER, "iam:SimulatePrincipalPolicy: AccessDenied"),
        (Iam(), Identity("1", "arn:aws:iam::1:root"), "the account's root user"),
    ],
)
def test_rights_that_cannot_be_checked_are_no_error(iam: Any, who: Identity, text: str) -> None:
    """Deploying goes on, and says why it does not know."""
    found = rights(iam, who, "us-east-1")
    assert found.refused == ()
    assert text in found.unknown


def statements() -> Iterator[dict[str, Any]]:
    """The statements of the policy for deploying."""
    policy = json.loads(POLICY.read_text())
    assert policy["Version"] == "2012-10-17"
    yield from policy["Statement"]


def test_policy_is_a_policy() -> None:
    """Each statement allows actions of one service family on named resources of this project."""
    sids = [statement["Sid"] for statement in statements()]
    assert len(set(sids)) == len(sids)
    for statement in statements():
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Effect"] == "Allow"
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            service, _, name = action.partition(":")
            assert service.isalnum(), action
            assert name, action
            # Every action of a service only on what this project names.
            assert (
                name != "*" or "tokenwire" in str(statement["Resource"]) or service == "apigateway"
            )


def test_policy_is_in_the_limits_of_iam() -> None:
    """A managed policy has at most 6,144 characters, without white space."""
    text = json.dumps(json.loads(Path(POLICY).read_text()), separators=(",", ":"))
    assert len(text) <= 6144
