"""Transform template.yaml as CloudFormation does, with SAM's own translator; JSON to stdout.

Run by the SAM CLI's interpreter, which has the translator: NAME=VALUE arguments are parameters.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]


class NoManagedPolicies:
    """No policy of the template is named by an AWS managed policy's short name."""

    def load(self) -> dict[str, str]:
        """None."""
        return {}


def artifacts_in_s3(template: dict[str, Any]) -> dict[str, Any]:
    """The template as ``sam package`` leaves it: no local directories."""
    place = {"Bucket": "bucket", "Key": "key"}
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][name] = place
    return template


def main() -> None:
    """Print the transformed template."""
    template = artifacts_in_s3(yaml_parse(Path("template.yaml").read_text(encoding="utf-8")))
    parameters = dict(argument.split("=", 1) for argument in sys.argv[1:])
    json.dump(transform(template, parameters, NoManagedPolicies()), sys.stdout)


main()
