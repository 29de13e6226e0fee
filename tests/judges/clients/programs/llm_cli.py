# /// script
# requires-python = ">=3.11"
# dependencies = ["llm==0.36"]
# ///
"""llm, the command-line tool: prompts, tools and schemas over Chat Completions."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import command
import report
from report import Case, Outcome

MODELS = """
- model_id: tw
  model_name: {model}
  api_base: {base_url}/v1
  supports_tools: true
  supports_schema: true
"""
FUNCTION = """
def get_weather(city: str) -> str:
    "The weather of a city."
    with open("calls", "a") as calls:
        print(city, file=calls)
    return {"Paris": "sunny", "Rome": "rainy"}[city]
"""


def _case(prompt: str, options: Sequence[str] = (), *, is_json: bool = False) -> Case:
    async def run(base_url: str, model: str, outcome: Outcome) -> None:
        with command.folder() as home:
            (home / "extra-openai-models.yaml").write_text(
                MODELS.format(model=model, base_url=base_url)
            )
            (home / "functions.py").write_text(FUNCTION)
            printed = await command.output(
                [sys.executable, "-m", "llm", "prompt", "-m", "tw", *options, prompt],
                home,
                {"LLM_USER_PATH": str(home), "OPENAI_API_KEY": "k"},
            )
            calls = home / "calls"
            cities = calls.read_text().split() if calls.exists() else []
        outcome.calls += [("get_weather", {"city": city}) for city in cities]
        if is_json:
            outcome.value = json.loads(printed)
        else:
            # The texts of all turns come one after the other.
            outcome.text = printed.strip().removeprefix("Let me look.").strip()

    return run


if __name__ == "__main__":
    tools = ["--functions", "functions.py"]
    report.main(
        {
            "llm": {
                "plain": _case(report.PLAIN),
                "tool": _case(report.TOOL, tools),
                "loop": _case(report.LOOP, tools),
                "object": _case(
                    report.OBJECT,
                    ["--no-stream", "--schema", "name, population int"],
                    is_json=True,
                ),
                "before": _case(report.BEFORE),
            }
        },
        patience=60,
        at_once=3,
    )
