// An official Node client, once for every model: how does the stream end?
// usage: broken_streams.mjs CLIENT BASE_URL MODEL…; prints a line of JSON for each model.
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const [client, base, ...models] = process.argv.slice(2);
const messages = [{ role: "user", content: "Hi" }];
const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: "k", maxRetries: 0 });
const claude = new Anthropic({ baseURL: base, apiKey: "k", maxRetries: 0 });

const clients = {
  async "openai-node chat"(model) {
    const said = { text: "", finish: "" };
    for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true })) {
      said.text += chunk.choices[0].delta.content ?? "";
      said.finish = chunk.choices[0].finish_reason ?? said.finish;
    }
    return said;
  },
  async "openai-node responses"(model) {
    const said = { text: "", finish: "" };
    for await (const event of await openai.responses.create({ model, input: "Hi", stream: true })) {
      if (event.type === "response.output_text.delta") said.text += event.delta;
      if (event.type === "response.completed") said.finish = "stop";
    }
    return said;
  },
  async "anthropic-node"(model) {
    const final = await claude.messages.stream({ model, messages, max_tokens: 99 }).finalMessage();
    return { text: final.content[0].text, finish: final.stop_reason === "end_turn" ? "stop" : "" };
  },
};

const typed = (error) => error instanceof OpenAI.APIError || error instanceof Anthropic.APIError;

async function outcome(model) {
  try {
    return await clients[client](model);
  } catch (error) {
    return { error: typed(error) ? "typed" : `${error?.name}: ${error?.message}` };
  }
}

await Promise.all(
  models.map(async (model) => console.log(JSON.stringify({ model, ...(await outcome(model)) }))),
);
