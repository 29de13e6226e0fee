// The Anthropic SDK for Node, and its beta tool runner.
import Anthropic from "@anthropic-ai/sdk";
import * as report from "./report.mjs";

const make = (base) => new Anthropic({ baseURL: base, apiKey: "k", maxRetries: 0 });
const ask = (model, prompt) => ({
  model, max_tokens: 999, messages: [{ role: "user", content: prompt }],
});

const text = (prompt) => async (base, model, outcome) => {
  const stream = make(base).messages.stream(ask(model, prompt));
  stream.on("text", (piece) => (outcome.text += piece));
  const { usage } = await stream.finalMessage();
  outcome.usage = [usage.input_tokens, usage.output_tokens];
};

// The runner keeps the conversation in a thread of Anthropic's, and goes on without one where it is
// told that there are none. In front of Anthropic the request passes as it is, but aimock ignores
// threads, so there the runner is told not to use one.
const loop = (prompt) => async (base, model, outcome) => {
  const runner = make(base).beta.messages.toolRunner({
    ...ask(model, prompt), stream: true, max_iterations: report.ROUNDS,
    ...(model.startsWith("anthropic/") ? { thread: false } : {}),
    tools: [{
      name: "get_weather", description: report.DESCRIPTION, input_schema: report.PARAMETERS,
      parse: (input) => input, run: (input) => outcome.weather(input),
    }],
  });
  const final = await runner.runUntilDone();
  outcome.text = final.content.map((block) => block.text ?? "").join("");
};

async function structured(base, model, outcome) {
  const message = await make(base).messages.create({
    ...ask(model, report.OBJECT),
    output_config: { format: { type: "json_schema", schema: report.CITY_SCHEMA } },
  });
  outcome.value = JSON.parse(message.content[0].text);
}

async function cancel(base, model, outcome) {
  const stream = make(base).messages.stream(ask(model, report.SLOW));
  for await (const event of stream) {
    if (event.type !== "content_block_delta") continue;
    outcome.text += event.delta.text;
    stream.abort();
    break;
  }
}

await report.main({
  "anthropic-node": {
    plain: text(report.PLAIN), usage: text(report.PLAIN),
    tool: loop(report.TOOL), loop: loop(report.LOOP), object: structured,
    before: text(report.BEFORE), inside: text(report.INSIDE), cancel,
  },
});
