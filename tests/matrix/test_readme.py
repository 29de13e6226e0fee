"""The README's example for openai-python, with every kind of provider."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.upstream import Upstream
from tests.matrix.cases import PROVIDERS, answer
from tests.matrix.test_python_clients import app

_LOOP = re.compile(r"```python\n(from openai import OpenAI\n.*?)```", re.DOTALL)


def loop(base_url: str, model: str) -> str:
    """Return the example with another address and another model."""
    found = _LOOP.search(Path("README.md").read_text())
    assert found is not None
    example = found[1].replace("http://127.0.0.1:8000", base_url).replace("demo/markdown", model)
    assert base_url in example
    assert model in example
    return example


@pytest.mark.outside
@pytest.mark.parametrize("dialect", [*PROVIDERS, "demo"])
async def test_readme_s_loop_runs(dialect: str, provider: Upstream, aws: object) -> None:
    """The example prints the answer, and does not fail on a chunk without choices."""
    model = "demo/markdown" if dialect == "demo" else f"{PROVIDERS[dialect]}/model-x"
    if dialect != "demo":
        answer(provider, "text", dialect)
    async with app(provider, TOKENWIRE_DEMO_PACE="10000") as base_url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", loop(base_url, model), stdout=subprocess.PIPE
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    assert out.decode() == "Grüße, 🎈\nwörld" if dialect != "demo" else len(out) > 100
