"""Access control in the templates of each deployment."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = Path("template.yaml").read_text()
CLOUDFRONT = Path("examples/cloudfront.yaml").read_text()


def test_without_keys_the_url_asks_for_iam() -> None:
    """The stack refuses AppAuth=none if the URL is public."""
    rule = TEMPLATE.split("CallersAreAuthenticated:")[1].split("Conditions:")[0]
    assert "RuleCondition: !Equals [!Ref AppAuth, none]" in rule
    assert "Assert: !Equals [!Ref AuthType, AWS_IAM]" in rule


def test_cloudfront_asks_for_keys() -> None:
    """CloudFront signs all requests, so its stack refuses AppAuth=none; it has no default."""
    parameter = CLOUDFRONT.split("  AppAuth:")[1].split("DomainName:")[0]
    rule = CLOUDFRONT.split("KeysAreRequired:")[1].split("Resources:")[0]
    assert "Default" not in parameter
    assert "Assert: !Equals [!Ref AppAuth, keys]" in rule
    assert "SigningBehavior: always" in CLOUDFRONT


def test_cloudfront_has_a_domain_of_your_own() -> None:
    """A domain needs a certificate; the alias and the certificate are used only with a domain."""
    rule = CLOUDFRONT.split("DomainHasCertificate:")[1].split("ZoneHasDomain:")[0]
    assert 'Assert: !Not [!Equals [!Ref CertificateArn, ""]]' in rule
    assert "Aliases: !If [HasDomain, [!Ref DomainName], !Ref AWS::NoValue]" in CLOUDFRONT
    certificate = CLOUDFRONT.split("ViewerCertificate: !If")[1].split("Origins:")[0]
    assert certificate.index("- HasDomain") < certificate.index("!Ref CertificateArn")
    assert CLOUDFRONT.count("Condition: HasZone") == 2


def test_cloudfront_takes_the_stack_s_outputs() -> None:
    """FunctionName is among the stack's outputs, and has the alias that the URL belongs to."""
    output = TEMPLATE.split("Outputs:")[1].split("  FunctionName:")[1].split("  Logs:")[0]
    assert "Value: !Sub ${ProxyFunction}:live" in output
    assert "AutoPublishAlias: live" in TEMPLATE
    assert "AllowedPattern: ^[a-zA-Z0-9_-]+:live$" in CLOUDFRONT


def test_role_reads_its_own_secrets_only() -> None:
    """The function's role may read the parameters below SecretsPath and use its own table."""
    secrets = TEMPLATE.split("Sid: ReadItsSecrets")[1].split("Sid:")[0]
    assert secrets.count("parameter${SecretsPath}") == secrets.count("!Sub arn:") == 2
    assert "Resource: !GetAtt StreamsTable.Arn" in TEMPLATE.split("Sid: KeepItsStreams")[1][:400]


def test_table_is_encrypted() -> None:
    """Stored answers are encrypted and expire."""
    table = TEMPLATE.split("StreamsTable:\n    Type")[1].split("LambdaAsgiLayer:")[0]
    assert "SSEEnabled: true" in table
    assert "AttributeName: expires_at\n        Enabled: true" in table


def test_rest_api_asks_for_iam() -> None:
    """The REST API requires IAM, since the app accepts every request with AppAuth=none."""
    assert "DefaultAuthorizer: AWS_IAM" in TEMPLATE
