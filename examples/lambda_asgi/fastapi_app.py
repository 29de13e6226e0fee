import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from lambda_asgi import Handler

app = FastAPI()


@app.get("/count")
async def count() -> StreamingResponse:
    async def numbers() -> AsyncIterator[str]:
        for number in range(10):
            yield f"{number}\n"
            await asyncio.sleep(0.2)

    return StreamingResponse(numbers(), media_type="text/plain")


handler = Handler(app)
