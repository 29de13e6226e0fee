"""The comparison: a simple loop with FastAPI, StreamingResponse and the SDK's typed chunks."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

app = FastAPI()
client = AsyncOpenAI(api_key="sk-x", base_url=os.environ["OPENAI_BASE_URL"], max_retries=0)


@app.post("/v1/chat/completions")
async def chat(body: dict[str, Any]) -> StreamingResponse:
    """Stream each chunk on as it comes."""

    async def lines() -> AsyncIterator[str]:
        stream = await client.chat.completions.create(**body)
        async for chunk in stream:
            yield f"data: {chunk.model_dump_json()}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning", access_log=False)
