# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = ["aider-chat==0.86.2"]
# ///
"""aider, which edits files by what the model writes, over Chat Completions."""

from __future__ import annotations

import sys

import command
import report
from report import Outcome

QUIET = [
    "--no-git",
    "--yes-always",
    "--no-check-update",
    "--no-show-model-warnings",
    "--no-analytics",
    "--no-pretty",
    "--no-show-release-notes",
    "--no-detect-urls",
    "--map-tokens=0",
]


async def edit(base_url: str, model: str, outcome: Outcome) -> None:
    with command.folder() as home:
        (home / "weather.txt").write_text("unknown\n")
        await command.output(
            [
                *(sys.executable, "-m", "aider", *QUIET),
                *("--model", f"openai/{model}", "--edit-format", "whole"),
                *("--message", report.EDIT, "weather.txt"),
            ],
            home,
            {"OPENAI_API_BASE": f"{base_url}/v1", "OPENAI_API_KEY": "k"},
        )
        outcome.text = (home / "weather.txt").read_text().strip()


if __name__ == "__main__":
    report.main({"aider": {"edit": edit}}, patience=90, at_once=2)
