"""What CloudFormation gets: the template, transformed by SAM's own translator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sam.conftest import SAM, run

pytestmark = [pytest.mark.sam, pytest.mark.timeout(120)]


async def transformed(**parameters: str) -> Any:
    """The template for these parameters."""
    python = SAM.parent / "python"
    if not python.exists():
        pytest.skip("make test-sam prepares what these tests need")
    script = Path(__file__).with_name("transform.py")
    ended = await run([python, script, *(f"{name}={value}" for name, value in parameters.items())])
    assert ended.status == 0, ended.err
    return ended.json


def granted(template: Any) -> list[dict[str, Any]]:
    """The permissions that everyone is given."""
    return [
        resource
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Permission"
        and resource["Properties"]["Principal"] == "*"
    ]


@pytest.mark.parametrize("auth_type", ["NONE", "AWS_IAM"])
async def test_public_url_has_both_permissions(auth_type: str) -> None:
    """Both grants exist, on the URL's own alias, and only where ``AuthType`` is ``NONE``."""
    template = await transformed(AuthType=auth_type)

    grants = granted(template)
    permissions = {grant["Properties"]["Action"]: grant for grant in grants}
    assert permissions.keys() == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    assert len(grants) == 2
    (url,) = (r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Url")
    for permission in permissions.values():
        assert permission["Condition"] == "IsPublic"
        assert permission["Properties"]["FunctionName"] == url["Properties"]["TargetFunctionArn"]
    assert template["Conditions"]["IsPublic"] == {"Fn::Equals": [{"Ref": "AuthType"}, "NONE"]}
    by_url = permissions["lambda:InvokeFunctionUrl"]["Properties"]
    assert by_url["FunctionUrlAuthType"] == "NONE"
    assert "InvokedViaFunctionUrl" not in by_url
    by_function = permissions["lambda:InvokeFunction"]["Properties"]
    assert by_function["InvokedViaFunctionUrl"] is True
