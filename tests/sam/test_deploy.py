"""What deploying needs: the rights that CloudFormation uses, and the SAM CLI against moto."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, MutableMapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from scripts.deploy.account import POLICY
from scripts.deploy.errors import DeployError
from scripts.deploy.sam import Sam
from tests.sam.conftest import SAM
from tests.sam.test_template import transformed

pytestmark = [pytest.mark.sam, pytest.mark.timeout(300)]

# What CloudFormation's handlers use for properties that the template has not got.
UNUSED = (
    *("codedeploy:*", "elasticfilesystem:*", "firehose:*", "kinesis:*", "kms:*", "s3files:*"),
    *("iam:*GroupPolicy", "iam:*UserPolicy", "iam:*PermissionsBoundary"),
    # Of the account's alone, which CloudFormation makes for replicated tables.
    "iam:CreateServiceLinkedRole",
    # Capacity providers and code signing are resources of their own.
    *("lambda:PassCapacityProvider", "lambda:*CodeSigningConfig", "lambda:*RuntimeAlias"),
    # No actions of IAM.
    *("s3:GetObjectMetadata", "s3:REST.PUT.OBJECT"),
)


def allowed() -> Iterator[str]:
    """The actions that the policy for deploying allows."""
    for statement in json.loads(POLICY.read_text())["Statement"]:
        actions = statement["Action"]
        yield from [actions] if isinstance(actions, str) else actions


def needed(types: set[str]) -> Iterator[str]:
    """What CloudFormation's handlers of these types do, as their published schemas say."""
    (data,) = SAM.parents[1].glob("lib/python3*/site-packages/cfnlint/data/schemas")
    names = json.loads((data / "providers/us-east-1.json").read_text())
    for kind in types:
        schema = json.loads((data / f"resources/{names[kind]}.json").read_text())
        for verb, handler in schema.get("handlers", {}).items():
            if verb != "list":
                yield from handler.get("permissions", [])


async def test_policy_allows_what_cloudformation_does() -> None:
    """Every permission of every resource type of the stack is in the policy, or not used."""
    template = await transformed()
    types = {resource["Type"] for resource in template["Resources"].values()}
    granted = list(allowed())
    used = set(needed(types))
    assert len(used) > 100
    refused = {
        action
        for action in used
        if not any(fnmatchcase(action, pattern) for pattern in (*granted, *UNUSED))
    }
    assert refused == set()


async def test_sam_uploads_the_artifacts(
    build: Path, aws: MutableMapping[str, str], moto_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The real CLI takes our command line, and gets as far as moto goes.

    moto has no transform of SAM's, and cannot read a template's URL on its own address: it refuses
    the change set, after SAM has uploaded both artifacts and the template.
    """
    import boto3

    aws.update(AWS_ENDPOINT_URL=moto_url, AWS_DEFAULT_REGION="us-east-1")
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="artifacts-of-tests")
    tool = Sam({**os.environ, "AWS_REGION": "us-east-1"}, [str(SAM)])
    parameters = {"SecretsPath": "/tokenwire-staging", "OpenAIKey": "true"}
    with pytest.raises(DeployError, match="sam deploy failed"):
        await asyncio.to_thread(
            tool.deploy, "tokenwire-staging", parameters, build,
            bucket="artifacts-of-tests", confirm=False,
        )  # fmt: skip
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="artifacts-of-tests")["Contents"]]
    assert len(keys) == 3
    assert all(key.startswith("tokenwire-staging/") for key in keys)
    assert sum(key.endswith(".template") for key in keys) == 1
    printed = "".join(capfd.readouterr())
    assert "Failed to create changeset" in printed
    assert '"OpenAIKey": "true"' in printed
    s3.close()
