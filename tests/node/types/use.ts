// What a strict TypeScript project may write with the package; each error below is expected.
import { EventParser, StreamError, shareLink, stream, type Progress, type TokenEvent } from "tokenwire";
import { useStream, type ChatMessage, type Status } from "tokenwire/react";

export async function read(signal: AbortSignal): Promise<string> {
  const answer = stream(
    { message: "Hello", model: "demo/markdown", on_disconnect: "grace=10" },
    { base: "https://host", key: "k", signal, idempotencyKey: "q-1", onProgress: (p: Progress) => void p.tokens },
  );
  let text = "";
  try {
    for await (const event of answer) text += deltaOf(event);
  } catch (error) {
    if (error instanceof StreamError && error.retryable && !answer.ended) text += error.code;
  }
  await answer.cancel();
  return text + (answer.id ?? "");
}

function deltaOf(event: TokenEvent): string {
  switch (event.type) {
    case "content":
    case "reasoning":
      return event.delta;
    case "tool_call":
      return event.arguments ?? "";
    case "usage":
      return String(event.input_tokens + event.output_tokens);
    case "start":
    case "finish":
      return "";
    default:
      return event satisfies never;
  }
}

export const link: string | null = shareLink("/v1/streams/st_1?ticket=t");
export const events: number = new EventParser().feed(new Uint8Array()).length;
export const made: StreamError = new StreamError("m", { code: "c" });

export function Chat(): string {
  const { messages, status, error, send, stop, resume } = useStream({
    id: "chat-1",
    model: "demo/markdown",
    body: { temperature: 0.5 },
    initialMessages: [{ id: "1", role: "user", content: "Hi" }],
  });
  const known: Status = status;
  const last: ChatMessage | undefined = messages.at(-1);
  void [send("Hi"), stop(), resume()];
  return `${known} ${last?.content ?? ""} ${error?.code ?? ""}`;
}

// @ts-expect-error: a number is not a message
stream({ message: 5 });
// @ts-expect-error: no such policy
stream({ message: "x", on_disconnect: "explode" });
// @ts-expect-error: no such option
stream({ message: "x" }, { colour: "red" });
// @ts-expect-error: the hook's messages are the request's
useStream({ body: { messages: [] } });
// @ts-expect-error: no such path in the package
import "tokenwire/conversation";
