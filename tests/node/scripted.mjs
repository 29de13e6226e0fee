// Scripted responses: a `fetch` that answers in order, and the blocks of typed events.

export const bytes = (text) => new TextEncoder().encode(text);
export const block = (id, said) => `id: 1-${id}\ndata: ${typeof said === "string" ? said : JSON.stringify(said)}\n\n`;
export const content = (id, delta) => block(id, { type: "content", delta });

export function server(...answers) {
  const requests = [];
  const fetch = async (url, { method = "GET", headers, body, signal } = {}) => {
    requests.push({ url: String(url), method, headers, body });
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    const { status = 200, text = "", broken = false, open = false, headers: more = {} } = answer;
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes(text));
        signal?.addEventListener("abort", () => controller.error(signal.reason));
        if (open) return;
        if (broken) controller.error(new TypeError("terminated"));
        else controller.close();
      },
    });
    return new Response(status === 204 ? null : source, { status, headers: { "x-stream-id": "st_1", ...more } });
  };
  return { fetch, requests };
}
