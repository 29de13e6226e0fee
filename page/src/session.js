// The API key: in this tab only, and only once the server has accepted it.

import { requestHeaders } from "/tokenwire.js";

export const key = () => sessionStorage.getItem("key") ?? undefined;
export const headers = (method) => requestHeaders({ key: key() }, method);

export const keep = (value) => sessionStorage.setItem("key", value);
export const forget = () => sessionStorage.removeItem("key");

/** Reads `/v1/models`: `{status, data, default, providers}`; status 0 if the server cannot be reached. */
export async function models(candidate = key()) {
  try {
    const response = await fetch("/v1/models", { headers: requestHeaders({ key: candidate }) });
    const body = await response.json().catch(() => ({}));
    return { status: response.status, data: body.data ?? [], default: body.default, providers: body.providers ?? {}, message: body.error?.message };
  } catch {
    return { status: 0, data: [] };
  }
}
