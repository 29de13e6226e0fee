"""codex (over Responses) and opencode (over Chat Completions), as their users run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import command
import report
from command import Refused
from report import Case, Outcome

MODULES = Path(__file__).with_name("node") / "node_modules"
CODEX = str(MODULES / ".bin/codex")
# The package of one platform: the one for all platforms cannot be locked where its registry does
# not have all of them.
OPENCODE = str(MODULES / "opencode-linux-x64/bin/opencode")


def _lines(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]


def _codex(prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        provider = (
            f'model_providers.tw={{name="tw",base_url="{base_url}/v1",env_key="KEY",'
            'wire_api="responses",request_max_retries=0,stream_max_retries=0}'
        )
        options = ["--json", "--skip-git-repo-check", "--ephemeral", "-s", "danger-full-access"]
        config = ["-c", 'model_provider="tw"', "-c", provider, "-m", model]
        with command.folder() as home:
            printed = await command.output(
                [CODEX, "exec", *options, *config, prompt], home, {"KEY": "k"}
            )
        for event in _lines(printed):
            item = event.get("item") or {}
            if event["type"] in ("error", "turn.failed"):
                raise Refused(json.dumps(event))
            if event["type"] == "item.completed" and item["type"] == "agent_message":
                outcome.text = item["text"]
            if event["type"] == "item.completed" and item["type"] == "command_execution":
                outcome.calls.append(("command", item["aggregated_output"].strip()))
            if event["type"] == "turn.completed":
                used = event["usage"]
                outcome.usage = (used["input_tokens"], used["output_tokens"])

    return run


def _opencode(prompt: str) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        provider = {
            "npm": "@ai-sdk/openai-compatible",
            "name": "tw",
            "options": {"baseURL": f"{base_url}/v1", "apiKey": "k"},
            "models": {model: {"name": model}},
        }
        config = {
            "autoupdate": False,
            "share": "disabled",
            "permission": {"bash": "allow"},
            "provider": {"tw": provider},
        }
        with command.folder() as home:
            (home / "opencode.json").write_text(json.dumps(config))
            printed = await command.output(
                [OPENCODE, "run", "-m", f"tw/{model}", "--format", "json", prompt],
                home,
                {"OPENCODE_DISABLE_MODELS_FETCH": "1"},
            )
        total = [0, 0]
        for event in _lines(printed):
            part = event.get("part") or {}
            if event["type"] == "error":
                raise Refused(json.dumps(event)[:600])
            if event["type"] == "text":
                outcome.text = part["text"]
            if event["type"] == "tool_use":
                outcome.calls.append(("command", part["state"]["output"].strip()))
            if event["type"] == "step_finish":
                total[0] += part["tokens"]["input"]
                total[1] += part["tokens"]["output"]
        outcome.usage = (total[0], total[1])

    return run


if __name__ == "__main__":
    report.main(
        {
            "codex": {
                "plain": _codex(report.PLAIN),
                "usage": _codex(report.PLAIN),
                "command": _codex(report.COMMAND),
                "before": _codex(report.BEFORE),
            },
            "opencode": {
                "plain": _opencode(report.PLAIN),
                "command": _opencode(report.COMMAND),
            },
        },
        patience=90,
        at_once=3,
    )
