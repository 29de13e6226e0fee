"""What the templates promise: who guards the door of each shape of deployment."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path("template.yaml").read_text()
CLOUDFRONT = Path("examples/cloudfront.yaml").read_text()


def test_without_keys_the_url_asks_for_iam() -> None:
    """The stack refuses AppAuth=none where the URL is open."""
    rule = TEMPLATE.split("SomebodyGuardsTheDoor:")[1].split("Conditions:")[0]
    assert "RuleCondition: !Equals [!Ref AppAuth, none]" in rule
    assert "Assert: !Equals [!Ref AuthType, AWS_IAM]" in rule


def test_cloudfront_asks_for_keys() -> None:
    """CloudFront signs for everyone, so its stack refuses AppAuth=none; it has no default."""
    parameter = CLOUDFRONT.split("  AppAuth:")[1].split("Rules:")[0]
    rule = CLOUDFRONT.split("KeysGuardTheDoor:")[1].split("Resources:")[0]
    assert "Default" not in parameter
    assert "Assert: !Equals [!Ref AppAuth, keys]" in rule
    assert "SigningBehavior: always" in CLOUDFRONT


def test_role_reads_its_own_secrets_only() -> None:
    """The function's parameters are those below SecretsPath, and the table is its own."""
    secrets = TEMPLATE.split("Sid: ReadItsSecrets")[1].split("Sid:")[0]
    assert secrets.count("parameter${SecretsPath}") == secrets.count("!Sub arn:") == 2
    assert "Resource: !GetAtt StreamsTable.Arn" in TEMPLATE.split("Sid: KeepItsStreams")[1][:400]


def test_table_is_encrypted() -> None:
    """Answers at rest are encrypted, and expire."""
    table = TEMPLATE.split("StreamsTable:\n    Type")[1].split("LambdaAsgiLayer:")[0]
    assert "SSEEnabled: true" in table
    assert "AttributeName: expires_at\n        Enabled: true" in table


def test_rest_api_asks_for_iam() -> None:
    """The REST API, which the app would let in as anybody with AppAuth=none, needs IAM."""
    assert "DefaultAuthorizer: AWS_IAM" in TEMPLATE
