"""MCP's official client: ``mcp_client.py URL MODE``; prints what it got, as JSON."""

from __future__ import annotations

import asyncio
import json
import sys

from mcp import Client


async def main(url: str, mode: str) -> None:
    """List the tools, and call them; two clients at a time."""
    progress: list[float] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)

    async with Client(url, mode=mode) as client, Client(url, mode=mode) as other:
        tools = sorted(tool.name for tool in (await client.list_tools()).tools)
        added = await other.call_tool("add", {"a": 1, "b": 2})
        counted = await client.call_tool("count", {"to": 5}, progress_callback=note)
        found = [added.structured_content, counted.structured_content]
    sys.stdout.write(json.dumps({"tools": tools, "found": found, "progress": progress}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
