// AI SDK 7: streamText over its OpenAI (Responses and Chat), OpenAI-compatible and Anthropic
// providers, with its own tool loop.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, isStepCount, jsonSchema, streamText, tool } from "ai";
import * as report from "./report.mjs";

const MODELS = {
  "ai-sdk openai": (base, model) =>
    createOpenAI({ baseURL: `${base}/v1`, apiKey: "k" })(model),
  "ai-sdk openai chat": (base, model) =>
    createOpenAI({ baseURL: `${base}/v1`, apiKey: "k" }).chat(model),
  "ai-sdk compatible": (base, model) =>
    createOpenAICompatible({
      name: "tokenwire", baseURL: `${base}/v1`, apiKey: "k", includeUsage: true,
      supportsStructuredOutputs: true,
    })(model),
  "ai-sdk anthropic": (base, model) =>
    createAnthropic({ baseURL: `${base}/v1`, apiKey: "k" })(model),
};

async function read(make, base, model, outcome, prompt, more = {}) {
  let failure;
  const result = streamText({
    model: make(base, model), prompt, maxRetries: 0,
    onError: ({ error }) => (failure ??= error), ...more,
  });
  let step = "";
  for await (const part of result.stream) {
    if (part.type === "start-step") step = "";
    if (part.type === "text-delta") outcome.text = step += part.text;
    if (part.type === "error") failure ??= part.error;
    if (part.type === "finish" && !["stop", "tool-calls"].includes(part.finishReason))
      failure ??= Object.assign(new Error(`finished as ${part.finishReason}`));
  }
  if (failure) throw failure;
  return result;
}

const text = (make, prompt) => async (base, model, outcome) => {
  const result = await read(make, base, model, outcome, prompt);
  const usage = await result.usage;
  outcome.usage = [usage.inputTokens, usage.outputTokens];
};

const loop = (make, prompt) => (base, model, outcome) =>
  read(make, base, model, outcome, prompt, {
    stopWhen: isStepCount(report.ROUNDS),
    tools: {
      get_weather: tool({
        description: report.DESCRIPTION, inputSchema: jsonSchema(report.PARAMETERS),
        execute: (input) => outcome.weather(input),
      }),
    },
  });

const structured = (make) => async (base, model, outcome) => {
  const result = await read(make, base, model, outcome, report.OBJECT, {
    output: Output.object({ schema: jsonSchema(report.CITY_SCHEMA), name: "city" }),
  });
  outcome.value = await result.output;
  outcome.text = "";
};

const cancel = (make) => async (base, model, outcome) => {
  const stop = new AbortController();
  const result = streamText({
    model: make(base, model), prompt: report.SLOW, maxRetries: 0, abortSignal: stop.signal,
    onError: () => {},
  });
  for await (const part of result.stream) {
    if (part.type !== "text-delta") continue;
    outcome.text += part.text;
    stop.abort();
    break;
  }
};

// A second turn: AI SDK sends references to the items of the first answer.
const secondTurn = (make) => async (base, model, outcome) => {
  const messages = [{ role: "user", content: report.PLAIN }];
  const first = await read(make, base, model, outcome, undefined, { messages });
  messages.push(...(await first.response).messages, { role: "user", content: report.PLAIN });
  outcome.text = "";
  await read(make, base, model, outcome, undefined, { messages });
};

const clients = {};
for (const [name, make] of Object.entries(MODELS)) {
  clients[name] = {
    plain: text(make, report.PLAIN), usage: text(make, report.PLAIN),
    tool: loop(make, report.TOOL), loop: loop(make, report.LOOP), object: structured(make),
    before: text(make, report.BEFORE), inside: text(make, report.INSIDE), cancel: cancel(make),
    again: secondTurn(make),
  };
}
await report.main(clients);
