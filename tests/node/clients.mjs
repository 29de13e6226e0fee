// The official Node clients against a tokenwire server: what each reads. Run by jobs.mjs.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { DefaultChatTransport, readUIMessageStream, streamText } from "ai";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

const messages = [{ role: "user", content: "Hi" }];
const word = (code) => (code ?? "").replace(/^upstream_/, "").replace(/_error$/, "");
const openai = (base) => new OpenAI({ baseURL: `${base}/v1`, apiKey: "k", maxRetries: 0 });

async function chat({ base, model, said }) {
  const calls = [];
  const stream = await openai(base).chat.completions.create({
    model, messages, stream: true, stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    if (chunk.usage) said.usage = [chunk.usage.prompt_tokens, chunk.usage.completion_tokens];
    for (const { delta, finish_reason } of chunk.choices) {
      said.text += (delta.content ?? "") + (delta.refusal ?? "");
      said.reasoning += delta.reasoning_content ?? "";
      said.finish = finish_reason ?? said.finish;
      for (const call of delta.tool_calls ?? []) {
        calls[call.index] ??= ["", "", ""];
        calls[call.index][0] += call.id ?? "";
        calls[call.index][1] += call.function?.name ?? "";
        calls[call.index][2] += call.function?.arguments ?? "";
      }
    }
  }
  said.calls = calls.map(([id, tool, text]) => [id, tool, JSON.parse(text || "{}")]);
}

async function responses({ base, model, said }) {
  const stream = openai(base).responses.stream({ model, input: "Hi" });
  stream.on("response.output_text.delta", (event) => (said.text += event.delta));
  stream.on("response.refusal.delta", (event) => (said.text += event.delta));
  const final = await stream.finalResponse();
  for (const item of final.output) {
    if (item.type === "reasoning") said.reasoning += item.summary.map((part) => part.text).join("");
    if (item.type === "function_call") said.calls.push([item.call_id, item.name, JSON.parse(item.arguments)]);
  }
  const reason = final.incomplete_details?.reason;
  said.finish = { max_output_tokens: "length" }[reason] ?? reason ?? (said.calls.length ? "tool_calls" : "stop");
  said.usage = [final.usage.input_tokens, final.usage.output_tokens];
}

async function anthropic({ base, model, said }) {
  const client = new Anthropic({ baseURL: base, apiKey: "k", maxRetries: 0 });
  const stream = client.messages.stream({ model, messages, max_tokens: 99 });
  stream.on("text", (piece) => (said.text += piece));
  stream.on("thinking", (piece) => (said.reasoning += piece));
  const final = await stream.finalMessage();
  for (const block of final.content) if (block.type === "tool_use") said.calls.push([block.id, block.name, block.input]);
  const reasons = { end_turn: "stop", max_tokens: "length", tool_use: "tool_calls", refusal: "content_filter" };
  said.finish = reasons[final.stop_reason];
  const used = final.usage;
  said.usage = [used.input_tokens + (used.cache_read_input_tokens ?? 0) + (used.cache_creation_input_tokens ?? 0), used.output_tokens];
}

const finishes = { "tool-calls": "tool_calls", "content-filter": "content_filter" };

const transport = ({ base, model }) => new DefaultChatTransport({ api: `${base}/api/chat`, body: { model } });

async function ui(job) {
  const stream = await transport(job).sendMessages({
    chatId: "chat-1", trigger: "submit-message", messageId: undefined,
    messages: [{ id: "1", role: "user", parts: [{ type: "text", text: "Hi" }] }],
  });
  await hear(stream, job.said);
}

// What `useChat` does after a reload.
async function resume(job) {
  const stream = await transport(job).reconnectToStream({ chatId: "chat-1" });
  if (stream === null) job.said.error = "nothing to resume";
  else await hear(stream, job.said);
}

async function hear(stream, said) {
  // The raw parts, for what a message does not keep; the reader, for what it makes of them.
  const [parts, kept] = stream.tee();
  let message;
  const reading = (async () => {
    for await (const state of readUIMessageStream({ stream: kept, terminateOnError: false, onError: () => {} })) message = state;
  })();
  for await (const part of parts) {
    if (part.type === "finish") said.finish = finishes[part.finishReason] ?? part.finishReason;
    if (part.type === "data-usage") said.usage = [part.data.input_tokens, part.data.output_tokens];
    if (part.type === "data-error") said.error = word(part.data.code);
  }
  await reading;
  for (const part of message.parts) {
    if (part.type === "text") said.text += part.text;
    if (part.type === "reasoning") said.reasoning += part.text;
    if (part.type.startsWith("tool-")) said.calls.push([part.toolCallId, part.type.slice(5), part.input]);
    if (part.type.startsWith("data-")) said.error = "a transient part was kept";
  }
}

// AI SDK providers: stricter readers than the vendors' own.
const providers = {
  "ai-openai": (base, model) => createOpenAI({ baseURL: `${base}/v1`, apiKey: "k" }).responses(model),
  "ai-openai-chat": (base, model) => createOpenAI({ baseURL: `${base}/v1`, apiKey: "k" }).chat(model),
  "ai-compatible": (base, model) => createOpenAICompatible({ name: "tokenwire", baseURL: `${base}/v1`, apiKey: "k", includeUsage: true })(model),
  "ai-anthropic": (base, model) => createAnthropic({ baseURL: `${base}/v1`, apiKey: "k" })(model),
};

async function aisdk({ name, base, model, said }) {
  const result = streamText({ model: providers[name](base, model), prompt: "Hi", maxRetries: 0, onError: () => {} });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") said.text += part.text;
    if (part.type === "reasoning-delta") said.reasoning += part.text;
    if (part.type === "tool-call") said.calls.push([part.toolCallId, part.toolName, part.input]);
    if (part.type === "error") throw part.error;
    if (part.type === "finish") {
      said.finish = finishes[part.finishReason] ?? part.finishReason;
      said.usage = [part.totalUsage.inputTokens, part.totalUsage.outputTokens];
    }
  }
}

const clients = { "ui-resume": resume, "openai-chat": chat, "openai-responses": responses, anthropic, ui };

export default async function understood(name, base, model) {
  const said = { text: "", reasoning: "", calls: [], finish: "", usage: null, error: "" };
  try {
    await (clients[name] ?? aisdk)({ name, base, model, said });
  } catch (error) {
    const inner = error?.error?.error ?? error?.error ?? error?.data?.error ?? error;
    Object.assign(said, { finish: "", usage: null, calls: [] });
    said.error = word(inner?.code ?? inner?.type ?? error?.code ?? String(error?.message ?? error));
  }
  return said;
}
