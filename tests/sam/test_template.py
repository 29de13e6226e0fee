"""What CloudFormation gets: the template, transformed by SAM's own translator."""

from __future__ import annotations

import json
import re
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


def of_type(template: Any, kind: str) -> dict[str, Any]:
    """The resources of a type, by their logical ids."""
    resources = template["Resources"].items()
    return {name: each for name, each in resources if each["Type"] == kind}


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


async def test_reserved_concurrency_is_a_parameter() -> None:
    """None by default; else the number."""
    template = await transformed()

    (function,) = of_type(template, "AWS::Lambda::Function").values()
    assert function["Properties"]["ReservedConcurrentExecutions"] == {
        "Fn::If": [
            "HasReservedConcurrency",
            {"Ref": "ReservedConcurrency"},
            {"Ref": "AWS::NoValue"},
        ]
    }
    assert template["Parameters"]["ReservedConcurrency"]["Default"] == ""
    assert template["Conditions"]["HasReservedConcurrency"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "ReservedConcurrency"}, ""]}]
    }


async def test_dropped_workers_are_kept_and_alarmed_of() -> None:
    """Asynchronous events that fail go to an encrypted queue, and an alarm counts them."""
    template = await transformed()

    (config,) = of_type(template, "AWS::Lambda::EventInvokeConfig").values()
    destination = config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Fn::GetAtt": ["DroppedWorkers", "Arn"]}
    queue = template["Resources"]["DroppedWorkers"]["Properties"]
    assert queue == {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": {"Ref": "Retention"}}
    alarm = template["Resources"]["DroppedWorkersAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Lambda", "AsyncEventsDropped")
    assert alarm["Threshold"] == 1
    sends = [s for s in statements(template) if s["Action"] == "sqs:SendMessage"]
    assert [statement["Resource"] for statement in sends] == [destination]


def statements(template: Any) -> list[dict[str, Any]]:
    """What the function's role allows, whatever the conditions."""
    found = []
    for policy in template["Resources"]["ProxyRole"]["Properties"]["Policies"]:
        chosen = policy["Fn::If"][1] if "Fn::If" in policy else policy
        found += chosen["PolicyDocument"]["Statement"]
    return found


async def test_role_has_no_managed_policy_that_is_not_used() -> None:
    """VPC access only in a VPC, X-Ray only where it records; everything else names resources."""
    template = await transformed()

    roles = of_type(template, "AWS::IAM::Role")
    assert roles.keys() == {"ProxyRole", "ApiGatewayLogsRole"}
    (function,) = of_type(template, "AWS::Lambda::Function").values()
    assert function["Properties"]["Role"] == {"Fn::GetAtt": ["ProxyRole", "Arn"]}
    condition, policies, otherwise = roles["ProxyRole"]["Properties"]["ManagedPolicyArns"]["Fn::If"]
    assert (condition, otherwise) == ("HasVpc", {"Ref": "AWS::NoValue"})
    assert ["AWSLambdaVPCAccessExecutionRole" in str(policy) for policy in policies] == [True]
    anywhere = [s for s in statements(template) if s["Resource"] == "*"]
    assert [s["Action"] for s in anywhere] == [
        ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
    ]
    traced = roles["ProxyRole"]["Properties"]["Policies"][-1]["Fn::If"]
    assert (traced[0], traced[2]) == ("IsTraced", {"Ref": "AWS::NoValue"})


async def test_rest_api_has_one_stage_with_access_logs() -> None:
    """No stage besides ``live``; its log exists, and the account's role before it."""
    template = await transformed()

    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()
    assert stage["Properties"]["StageName"] == "live"
    for deployment in of_type(template, "AWS::ApiGateway::Deployment").values():
        assert "StageName" not in deployment["Properties"]
    setting = stage["Properties"]["AccessLogSetting"]
    assert setting["DestinationArn"]["Fn::Sub"].endswith(":log-group:${RestApiLogs}")
    fields = json.loads(setting["Format"])
    assert {"requestId", "status", "path", "caller"} <= fields.keys()
    assert all(value.startswith("$context.") for value in fields.values())
    (tag,) = template["Resources"]["RestApiLogs"]["Properties"]["Tags"]
    assert tag["Value"]["Fn::If"][:2] == ["CreatesApiGatewayLogRole", {"Ref": "ApiGatewayAccount"}]
    for name in ("ApiGatewayAccount", "ApiGatewayLogsRole"):
        resource = template["Resources"][name]
        assert (resource["Condition"], resource["DeletionPolicy"]) == (
            "CreatesApiGatewayLogRole",
            "Retain",
        )


def has_resources(path: Path) -> bool:
    """Whether this is a template of CloudFormation."""
    return "AWSTemplateFormatVersion" in path.read_text()


CHECKOV = Path(".cache/checkov/bin/checkov")


DOCUMENT = Path("docs/deploy.md")
EXAMPLES = sorted(str(path) for path in Path("examples").rglob("*.yaml") if has_resources(path))


async def findings(template: str) -> set[tuple[str, str]]:
    """Return the failed checks and their resources."""
    if not CHECKOV.exists():
        pytest.skip("make test-sam installs checkov where it can be installed")
    options = ["--framework", "cloudformation", "--skip-download", "--quiet", "--output", "json"]
    ended = await run([CHECKOV, "-f", template, *options, "--soft-fail"])
    failed = json.loads(ended.out).get("results", {}).get("failed_checks", [])
    return {(check["check_id"], check["resource"].rpartition(".")[2]) for check in failed}


@pytest.mark.timeout(300)
async def test_every_finding_of_checkov_is_answered() -> None:
    """The table in docs/deploy.md has each finding that is left, and no other."""
    rows = re.findall(r"^\| `(CKV_\w+)` \| ([^|]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    answered = {(id_, name) for id_, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert await findings("template.yaml") == answered


@pytest.mark.timeout(300)
@pytest.mark.parametrize("template", EXAMPLES)
async def test_every_finding_in_an_example_is_answered(template: str) -> None:
    """The examples have a table of their own."""
    row = rf"^\| `{re.escape(template)}` \| `(CKV_\w+)` \| `(\w+)` \| \S"
    answered = set(re.findall(row, DOCUMENT.read_text(), re.MULTILINE))
    assert await findings(template) == answered
