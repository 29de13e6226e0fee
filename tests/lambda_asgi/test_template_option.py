"""The command line of the local function URL, and the SAM templates that it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambda_asgi.local.cors import Cors
from lambda_asgi.local.intrinsics import MAX_DEPTH, Resolver, TemplateError
from lambda_asgi.local.options import Configured, UsageError, configure, parser
from lambda_asgi.local.template import MAX_BYTES, read

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.13
    Timeout: 20
    Environment:
      Variables: {SHARED: globally, STAGE: globally}
Parameters:
  Stage: {Type: String, Default: dev}
  Hosts: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Sizes:
    dev: {Memory: 256}
    prod: {Memory: 2048}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsLocal: !Not [!Condition IsProd]
Resources:
  Web:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src
      Handler: app.handler
      MemorySize: !FindInMap [Sizes, !Ref Stage, Memory]
      FunctionUrlConfig:
        AuthType: AWS_IAM
        InvokeMode: RESPONSE_STREAM
        Cors:
          AllowOrigins: ["*"]
          AllowCredentials: true
          MaxAge: 5
      Environment:
        Variables:
          STAGE: !Ref Stage
          TABLE: !Ref Table
          ARN: !GetAtt Table.Arn
          STREAM: !GetAtt [Table, StreamName]
          TEXT: !Sub "${Stage}-${AWS::Region}-${Table.Arn}-${!Kept}-${Own}"
          OWN: !Sub ["${Own}-${Stage}", {Own: !Join ["+", !Ref Hosts]}]
          PICKED: !Select [1, !Split ["/", "a/b"]]
          ONLY_LOCAL: !If [IsLocal, "yes", !Ref AWS::NoValue]
          ONLY_PROD: !If [IsProd, "yes", !Ref "AWS::NoValue"]
          FLAG: true
          NUMBER: 5
  Node:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs22.x, Handler: index.handler}
  Table:
    Type: AWS::DynamoDB::Table
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """That template, in a file."""
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE)
    return path


def configured(*arguments: object, **environ: str) -> Configured:
    """What a command line describes."""
    return configure(parser().parse_args([str(each) for each in arguments]), environ)


def test_template_describes_the_function(file: Path) -> None:
    """Globals below the function's own properties; intrinsics resolved; NoValue left out."""
    found = configured("--template", file, "--function", "Web")
    function = found.function

    assert (function.name, function.handler) == ("Web", "app.handler")
    assert (function.timeout, function.memory_mb) == (20, 256)
    assert function.directory == (file.parent / "src").resolve()
    assert (found.streams, found.signed) == (True, True)
    assert found.cors == Cors(origins=("*",), credentials=True, max_age=5)
    assert function.environ == {
        "SHARED": "globally",
        "STAGE": "dev",
        "TABLE": "Table",
        "ARN": "arn:aws:local:::Table",
        "STREAM": "Table.StreamName",
        "TEXT": "dev-us-east-1-arn:aws:local:::Table-${Kept}-Own",
        "OWN": "a+b-dev",
        "PICKED": "b",
        "ONLY_LOCAL": "yes",
        "FLAG": "true",
        "NUMBER": "5",
    }


def test_parameters_and_options_come_first(file: Path, tmp_path: Path) -> None:
    """Over the template: this process's variables, over them the file's; and the options."""
    (tmp_path / "vars.env").write_text("NUMBER=7\n")
    options = ("--timeout", 3, "--memory", 99, "--env-file", tmp_path / "vars.env")
    function = configured(
        *("--template", file, "--function", "Web", "--parameter", "Stage=prod", *options),
        NUMBER="6",
        FLAG="shell",
    ).function

    assert (function.timeout, function.memory_mb) == (3, 99)
    assert function.environ["ONLY_PROD"] == "yes"
    assert "ONLY_LOCAL" not in function.environ
    assert (function.environ["FLAG"], function.environ["NUMBER"]) == ("shell", "7")


def test_lambda_s_defaults_hold_for_a_bare_function(tmp_path: Path) -> None:
    """3 seconds, 128 MB, a buffered URL; JSON is YAML too."""
    path = tmp_path / "template.json"
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Runtime": "python3.13"}}
    path.write_text(json.dumps({"Resources": {"Only": function}}))
    found = configured("--template", path)

    assert (found.function.timeout, found.function.memory_mb) == (3, 128)
    assert (found.streams, found.signed, found.cors) == (False, False, None)
    assert found.function.directory == tmp_path.resolve()


def test_our_template_can_be_read() -> None:
    """The one that is deployed."""
    found = configured("--template", "template.yaml")

    assert found.function.handler == "tokenwire.lambda_handler.handler"
    assert (found.function.timeout, found.function.memory_mb) == (300, 512)
    assert found.function.environ["TOKENWIRE_STORE"] == "dynamodb://StreamsTable"
    assert found.streams is True


def test_other_runtimes_need_a_command(file: Path) -> None:
    """Which this machine has where is not in a template."""
    with pytest.raises(UsageError, match=r"Node has the runtime 'nodejs22.x': give its --command"):
        configured("--template", file, "--function", "Node")
    found = configured("--template", file, "--function", "Node", "--command", "node 'a b.js'")

    assert found.function.argv == ("node", "a b.js")
    assert found.function.handler == "index.handler"


def test_handler_or_command_is_enough() -> None:
    """Without a template: this process's variables, 30 seconds, 1024 MB."""
    ours = configured("a:b", "--bandwidth", A="1").function
    theirs = configured("--command", "node x.js").function

    assert ours.argv[1:] == ("-m", "lambda_asgi")
    assert (ours.handler, ours.environ, ours.timeout) == ("a:b", {"A": "1"}, 30)
    assert ours.limits_bandwidth is True
    assert (theirs.argv, theirs.handler, theirs.memory_mb) == (("node", "x.js"), "", 1024)


def test_nothing_to_run_is_refused() -> None:
    """With what there is to choose from."""
    with pytest.raises(UsageError, match="give a handler"):
        configured()


@pytest.mark.parametrize("flag", ["--concurrency", "--environments"])
def test_counts_are_positive(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Argparse says which."""
    with pytest.raises(SystemExit):
        configured("a:b", flag, 0)
    assert f"argument {flag}: must be 1 or more" in capsys.readouterr().err


def test_malformed_parameters_are_refused(file: Path) -> None:
    """No sign; no such parameter; no value for one without a default."""
    with pytest.raises(UsageError, match="--parameter takes NAME=VALUE, not 'Stage'"):
        configured("--template", file, "--parameter", "Stage")
    with pytest.raises(TemplateError, match="the template has no parameter Other"):
        configured("--template", file, "--function", "Web", "--parameter", "Other=1")
    file.write_text(TEMPLATE.replace("{Type: String, Default: dev}", "{Type: String}"))
    with pytest.raises(TemplateError, match="Stage has no default: --parameter Stage=VALUE"):
        configured("--template", file, "--function", "Web")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEMPLATE, "choose a function with --function; the template has: Web, Node"),
        ("Resources: {}", "choose a function with --function; the template has: none"),
        ("a: [", "is not YAML"),
        ("[]", "has no Resources"),
        ("x" * (MAX_BYTES + 1), "is larger than CloudFormation's 1 MB"),
        ("Resources: {A: {Type: 'AWS::Serverless::Function'}}", "A has no Properties"),
        (
            "Resources: {A: {Type: 'AWS::Serverless::Function', Properties: {Timeout: []}}}",
            "A has a malformed Timeout, MemorySize or Cors",
        ),
    ],
)
def test_malformed_templates_are_refused(file: Path, text: str, message: str) -> None:
    """By what is wrong."""
    file.write_text(text)
    with pytest.raises(TemplateError, match=message):
        read(file, None, {})


def test_unknown_functions_are_refused(file: Path) -> None:
    """With the names of those that are there."""
    with pytest.raises(TemplateError, match="has no function Other; it has: Web, Node"):
        read(file, "Other", {})


def nested(depth: int) -> Any:
    """A value so deep."""
    value: Any = "x"
    for _ in range(depth):
        value = {"Fn::Join": ["", [value]]}
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue cannot be resolved on this machine"),
        ({"Fn::Join": "x"}, "Fn::Join is malformed"),
        ({"Fn::If": ["Nothing", 1, 2]}, "Fn::If is malformed"),
        ({"Fn::Select": [9, ["a"]]}, "Fn::Select is malformed"),
        ({"Condition": "Circle"}, "nested too deeply, or in a circle"),
        (nested(MAX_DEPTH), "nested too deeply, or in a circle"),
    ],
)
def test_intrinsics_that_cannot_be_resolved(value: Any, message: str) -> None:
    """Not every template can run on one machine; the message has the reason."""
    resolver = Resolver({"Conditions": {"Circle": {"Condition": "Circle"}}}, {}, "us-east-1")
    with pytest.raises(TemplateError, match=message):
        resolver.resolve(value)


def test_conditions_combine() -> None:
    """And, Or and Not."""
    yes, no = {"Fn::Equals": ["a", "a"]}, {"Fn::Equals": ["a", "b"]}
    resolver = Resolver({}, {}, "us-east-1")

    assert resolver.resolve({"Fn::And": [yes, yes]}) is True
    assert resolver.resolve({"Fn::And": [yes, no]}) is False
    assert resolver.resolve({"Fn::Or": [no, yes]}) is True
    assert resolver.resolve({"Fn::Not": [yes]}) is False
    assert resolver.resolve({"a": [{"Ref": "AWS::NoValue"}, 1], "Ref": 2}) == {"a": [1], "Ref": 2}
