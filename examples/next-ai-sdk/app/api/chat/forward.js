// Forwards to tokenwire. The key stays on this server; check here who your user is.

const SERVER = process.env.TOKENWIRE_URL ?? "http://127.0.0.1:8000";
const KEPT = ["content-type", "cache-control", "x-vercel-ai-ui-message-stream", "x-accel-buffering", "x-stream-id"];

export async function forward(request, path = "") {
  const headers = { "content-type": "application/json" };
  if (process.env.TOKENWIRE_KEY) headers.authorization = `Bearer ${process.env.TOKENWIRE_KEY}`;
  const response = await fetch(`${SERVER}/api/chat${path}`, {
    method: request.method,
    headers,
    body: request.method === "POST" ? await request.text() : undefined,
    signal: request.signal, // the browser's disconnect reaches tokenwire
    cache: "no-store",
  });
  const kept = KEPT.filter((name) => response.headers.has(name)).map((name) => [name, response.headers.get(name)]);
  return new Response(response.body, { status: response.status, headers: kept });
}

/** The path of a chat; null for an id that could lead to another route. */
export function chatPath(id, action) {
  return /^[\w-]{1,64}$/.test(id) ? `/${id}/${action}` : null;
}
