// The official openai-node client against a tokenwire server: what it reads. Run by jobs.mjs.
import OpenAI from "openai";

const ask = { model: "openai/m", messages: [{ role: "user", content: "Hi" }], stream: true };

const jobs = {
  async text(client) {
    const said = [];
    for await (const chunk of await client.chat.completions.create(ask)) said.push(chunk.choices[0].delta.content);
    return said.filter(Boolean);
  },
  async usage(client) {
    let usage = null;
    const stream = await client.chat.completions.create({ ...ask, stream_options: { include_usage: true } });
    for await (const chunk of stream) usage = chunk.usage ?? usage;
    return usage;
  },
  async tools(client) {
    const final = await client.chat.completions.stream({ ...ask, stream: undefined }).finalChatCompletion();
    return final.choices[0].message.tool_calls.map((call) => call.function);
  },
  async whole(client) {
    const found = await client.chat.completions.create({ ...ask, stream: false });
    return found.choices[0].message.content;
  },
  async error(client) {
    try {
      for await (const _ of await client.chat.completions.create(ask));
      return "no error";
    } catch (error) {
      return { name: error.constructor.name, code: error.code, status: error.status ?? null };
    }
  },
};

export default (baseURL, job) => jobs[job](new OpenAI({ baseURL, apiKey: "key-one-of-tests", maxRetries: 0 }));
