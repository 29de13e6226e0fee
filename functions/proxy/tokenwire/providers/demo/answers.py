"""The texts of the demo provider: a few answers, chosen by the words of the prompt."""

from __future__ import annotations

import re

HELP = """\
I am the **demo provider**: no key, no network, no model. I pick an answer by the words of your \
prompt and stream it as real `chat.completion.chunk` bytes.

Put one of these anywhere in your message:

| Instruction | What happens |
| --- | --- |
| `/long 400` | an answer of about that many words |
| `/slow` or `/fast` | another pace |
| `/wait 5` | silence before the first token |
| `/stall 20` | silence in the middle |
| `/reason` | thinking before the answer |
| `/tool` | a tool call instead of text |
| `/refuse` | a refusal |
| `/fail` | an error in mid-stream |
| `/fail before` | an error before the first token |
| `/drop` | the connection breaks in mid-stream |
| `/odd` | bytes that are legal, but hard to read |
"""

HELLO = """\
Hello! These words reach you **one token at a time**, over Server-Sent Events, from a process \
that needs no key.

- Reload the page while I speak: the answer goes on where it was.
- Press *Share* and open the link in another tab: you will see the same stream.
- Press *Stop*: the provider's connection is closed, not just the page's.

Try asking about `code`, `Lambda` or `streaming`, or say `/help`.
"""

CODE = """\
Here is the whole of it, in Python:

```python
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")
stream = client.chat.completions.create(
    model="demo/markdown",
    messages=[{"role": "user", "content": "Hello"}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
```

1. `base_url` is the only line that changes.
2. Each `chunk` arrives as soon as the provider has sent it.
3. Leave the loop, and the generation stops.

> The key of the real provider stays on the server. The browser never sees it.
"""

LAMBDA = """\
## Streaming from AWS Lambda

A function URL with `InvokeMode: RESPONSE_STREAM` sends bytes while the function still runs. \
Three things are worth knowing:

1. **The first bytes count.** Headers travel with them, so a heartbeat is sent before the \
model has sent anything.
2. **Lambda does not tell the function that a client has gone.** Cancelling is a request of its \
own, and it works.
3. **Nothing runs once the response has ended.** What must outlive it goes to another invocation.

| Front door | Streams | Limit |
| --- | --- | --- |
| Function URL | yes | 15 min |
| REST API | yes, on request | 15 min |
| HTTP API, ALB | no | 6 MB |
"""

STREAMING = """\
### How a stream flows

The provider's bytes are kept **verbatim** in a log, and every block gets an id. Each viewer has \
a cursor in that log, and nothing else:

- a *new* viewer starts at the beginning,
- a *returning* one sends `Last-Event-ID` and starts where it stopped,
- a *slow* one costs no more than its place in the log.

```text
id: 1-57
data: {"type":"content","delta":"…"}
```

Replaying the past and following the present are the same loop, so there is no seam between them \
in which a token could be lost or doubled.
"""

AFTER_TOOL = "The tool has answered, so I can: **all is well**."

_FILLER = (
    "Tokens travel in order and each one carries an id so that a reader who turns away may come "
    "back to the very word at which the telling was broken off and find that nothing was lost "
)

# The first that matches is the answer.
_ANSWERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"/help|\bhelp\b|what can you", re.IGNORECASE), HELP),
    (re.compile(r"\bcode|python|javascript|example|snippet", re.IGNORECASE), CODE),
    (re.compile(r"lambda|aws|deploy|serverless", re.IGNORECASE), LAMBDA),
    (re.compile(r"stream|sse|token|resum|event", re.IGNORECASE), STREAMING),
)


# Requests for an exact text: "Say exactly: …", "Repeat this text exactly, nothing else: …".
_EXACTLY = re.compile(
    r"\b(?:say|repeat|reply|answer|write)\b[^:\n]{0,40}\bexactly\b[^:\n]{0,20}: *(.+)",
    re.IGNORECASE | re.DOTALL,
)
_ONE_WORD = re.compile(r'\bexactly the word "([^"\n]{1,80})"', re.IGNORECASE)
_LOOKED_AT = 4000


def answer(prompt: str, system: str = "") -> str:
    """Return the text for this prompt; always the same for the same prompt.

    Args:
        prompt: The last user message.
        system: The system prompt; it may require an answer of one word.
    """
    # The search is bounded, since its cost is more than linear.
    word = _ONE_WORD.search(f"{system[:_LOOKED_AT]} {prompt[:_LOOKED_AT]}")
    exactly = word or _EXACTLY.search(prompt[:_LOOKED_AT])
    if exactly:
        return exactly[1]
    return next((text for pattern, text in _ANSWERS if pattern.search(prompt)), HELLO)


def filler(words: int) -> str:
    """Return plain prose of this many words, in paragraphs."""
    stock = _FILLER.split()
    chosen = [stock[n % len(stock)] for n in range(words)]
    rows = [" ".join(chosen[at : at + 60]).capitalize() + "." for at in range(0, words, 60)]
    return "\n\n".join(rows)
