"""In the SAM CLI's place: record what it is given, and create a stack with the URL of a test.

moto's CloudFormation knows no SAM: ``tests/sam/test_deploy.py`` has the real CLI, up to there.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import boto3


def main() -> None:
    """Build or deploy."""
    verb, *arguments = sys.argv[1:]
    parent = Path(f"/proc/{os.getppid()}")
    seen = {
        "arguments": [verb, *arguments],
        "environ": dict(os.environ),
        "parent": [(parent / name).read_text() for name in ("cmdline", "environ")],
    }
    Path(os.environ["STANDIN_RECORD"], f"{verb}.json").write_text(json.dumps(seen))
    if verb == os.environ.get("STANDIN_FAILS"):
        sys.exit(1)
    if verb == "deploy":
        _deploy(arguments[arguments.index("--stack-name") + 1])


def _deploy(stack: str) -> None:
    queue = {"Type": "AWS::SQS::Queue"}
    outputs = {"Url": {"Value": os.environ["STANDIN_URL"]}}
    client = boto3.client("cloudformation")
    if not any(each["StackName"] == stack for each in client.describe_stacks()["Stacks"]):
        template = json.dumps({"Resources": {"Queue": queue}, "Outputs": outputs})
        client.create_stack(StackName=stack, TemplateBody=template)


if __name__ == "__main__":
    main()
