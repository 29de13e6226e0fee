// openai-node: Chat Completions and Responses.
import OpenAI from "openai";
import * as report from "./report.mjs";

const FUNCTION = {
  name: "get_weather",
  description: report.DESCRIPTION,
  parameters: report.PARAMETERS,
};
const CHAT_TOOLS = [{ type: "function", function: FUNCTION }];
const RESPONSES_TOOLS = [{ type: "function", strict: true, ...FUNCTION }];
const FORM = { name: "city", strict: true, schema: report.CITY_SCHEMA };
const make = (base) => new OpenAI({ baseURL: `${base}/v1`, apiKey: "k", maxRetries: 0 });

const chatText = (prompt) => async (base, model, outcome) => {
  const stream = await make(base).chat.completions.create({
    model, messages: [{ role: "user", content: prompt }], stream: true,
  });
  for await (const chunk of stream) outcome.text += chunk.choices[0].delta.content ?? "";
};

async function chatUsage(base, model, outcome) {
  const stream = await make(base).chat.completions.create({
    model, messages: [{ role: "user", content: report.PLAIN }], stream: true,
    stream_options: { include_usage: true },
  });
  const total = [0, 0];
  for await (const chunk of stream) {
    for (const choice of chunk.choices) outcome.text += choice.delta.content ?? "";
    total[0] += chunk.usage?.prompt_tokens ?? 0;
    total[1] += chunk.usage?.completion_tokens ?? 0;
  }
  outcome.usage = total;
}

// The SDK's own tool runner: it sends back what it parsed, with its own extra fields.
const chatLoop = (prompt) => async (base, model, outcome) => {
  const runner = make(base).chat.completions.runTools({
    model, stream: true, messages: [{ role: "user", content: prompt }],
    tools: [{
      type: "function",
      function: {
        ...FUNCTION, parse: JSON.parse, function: (args) => outcome.weather(args),
      },
    }],
  });
  outcome.text = await runner.finalContent();
};

async function chatObject(base, model, outcome) {
  const answer = await make(base).chat.completions.create({
    model, messages: [{ role: "user", content: report.OBJECT }],
    response_format: { type: "json_schema", json_schema: FORM },
  });
  outcome.value = JSON.parse(answer.choices[0].message.content);
}

async function chatCancel(base, model, outcome) {
  const stream = await make(base).chat.completions.create({
    model, messages: [{ role: "user", content: report.SLOW }], stream: true,
  });
  for await (const chunk of stream) {
    outcome.text += chunk.choices[0].delta.content ?? "";
    if (outcome.text) break;
  }
}

const responsesText = (prompt) => async (base, model, outcome) => {
  const stream = make(base).responses.stream({ model, input: prompt });
  stream.on("response.output_text.delta", (event) => (outcome.text += event.delta));
  const final = await stream.finalResponse();
  outcome.usage = [final.usage.input_tokens, final.usage.output_tokens];
};

const responsesLoop = (prompt) => async (base, model, outcome) => {
  const client = make(base);
  const input = [{ role: "user", content: prompt }];
  for (let round = 0; round < report.ROUNDS; round++) {
    const final = await client.responses
      .stream({ model, input, tools: RESPONSES_TOOLS }).finalResponse();
    input.push(...final.output);
    const calls = final.output.filter((item) => item.type === "function_call");
    if (calls.length === 0) {
      outcome.text = final.output_text;
      return;
    }
    for (const call of calls) {
      const output = outcome.weather(JSON.parse(call.arguments));
      input.push({ type: "function_call_output", call_id: call.call_id, output });
    }
  }
};

async function responsesObject(base, model, outcome) {
  const answer = await make(base).responses.create({
    model, input: report.OBJECT, text: { format: { type: "json_schema", ...FORM } },
  });
  outcome.value = JSON.parse(answer.output_text);
}

async function responsesCancel(base, model, outcome) {
  const stream = await make(base).responses.create({ model, input: report.SLOW, stream: true });
  for await (const event of stream) {
    if (event.type !== "response.output_text.delta") continue;
    outcome.text += event.delta;
    break;
  }
}

await report.main({
  "openai-node chat": {
    plain: chatText(report.PLAIN), usage: chatUsage,
    tool: chatLoop(report.TOOL), loop: chatLoop(report.LOOP), object: chatObject,
    before: chatText(report.BEFORE), inside: chatText(report.INSIDE), cancel: chatCancel,
  },
  "openai-node responses": {
    plain: responsesText(report.PLAIN), usage: responsesText(report.PLAIN),
    tool: responsesLoop(report.TOOL), loop: responsesLoop(report.LOOP), object: responsesObject,
    before: responsesText(report.BEFORE), inside: responsesText(report.INSIDE),
    cancel: responsesCancel,
  },
});
