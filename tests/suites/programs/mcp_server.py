"""An MCP server behind lambda_asgi: stateless, or with sessions in the process."""

from __future__ import annotations

import asyncio
import os

from mcp.server.mcpserver import Context, MCPServer

from lambda_asgi import Handler

server = MCPServer("of tests")


@server.tool()
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
async def count(to: int, context: Context) -> int:
    """Count, and report progress on the way: a stream."""
    for number in range(to):
        await context.report_progress(number + 1, to)
        await asyncio.sleep(0.02)
    return to


app = server.streamable_http_app(stateless_http=os.environ["MCP"] == "stateless", host="0.0.0.0")
handler = Handler(app)
