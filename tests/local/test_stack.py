"""The limits of ``make lambda`` are those of the deployed function."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_asgi.local.template import read
from tokenwire.local.stack import FUNCTION, Limits, limits

PROJECT = Path()
TEMPLATE = (PROJECT / "template.yaml").read_text()


def test_default_limits_are_the_template_s() -> None:
    """Without the project's template, the limits are its defaults all the same."""
    found = read(PROJECT / "template.yaml", FUNCTION, {})
    assert Limits() == Limits(found.timeout, found.memory_mb)


@pytest.mark.parametrize(
    ("env", "expected"),
    [("default", Limits()), ("prod", Limits(300, 1024)), ("no-such-section", Limits())],
)
def test_section_of_samconfig_counts(env: str, expected: Limits) -> None:
    """``make lambda ENV=prod`` has the limits that ``make deploy ENV=prod`` deploys."""
    assert limits(PROJECT, env) == expected


@pytest.mark.parametrize(
    "overrides", ['"Timeout=60 MemorySize=256"', '["Timeout=60", "MemorySize=256"]']
)
def test_parameters_are_read_in_both_forms(overrides: str, tmp_path: Path) -> None:
    """SAM takes one string, or a list."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    line = f"parameter_overrides = {overrides}"
    (tmp_path / "samconfig.toml").write_text(f"[mine.global.parameters]\n{line}\n")
    assert limits(tmp_path, "mine") == Limits(60, 256)
    (tmp_path / "samconfig.toml").unlink()
    assert limits(tmp_path, "mine") == Limits()


@pytest.mark.parametrize("template", [None, "Resources: {Other: {Type: AWS::SNS::Topic}}", "no"])
def test_template_of_another_project_is_not_used(template: str | None, tmp_path: Path) -> None:
    """The package runs in any folder: its defaults count where there is no such function."""
    if template is not None:
        (tmp_path / "template.yaml").write_text(template)
    assert limits(tmp_path, "default") == Limits()
