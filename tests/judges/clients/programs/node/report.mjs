// The protocol of a client program in Node: as report.py beside this folder.
export const PLAIN = "What is the capital of France?";
export const TOOL = "What is the weather in Paris?";
export const LOOP = "Please compare two cities.";
export const OBJECT = "Please describe a city as JSON.";
export const BEFORE = "Please refuse for the rate.";
export const INSIDE = "Please break in the middle.";
export const SLOW = "Please count slowly.";
export const ROUNDS = 4;
export const DESCRIPTION = "The weather of a city.";
export const PARAMETERS = {
  type: "object",
  properties: { city: { type: "string", description: "The city's name." } },
  required: ["city"],
  additionalProperties: false,
};
export const CITY_SCHEMA = {
  type: "object",
  properties: { name: { type: "string" }, population: { type: "integer" } },
  required: ["name", "population"],
  additionalProperties: false,
};
const WEATHER = { Paris: "sunny", Rome: "rainy" };

export class Outcome {
  text = "";
  calls = [];
  usage = null;
  value = null;
  error = "";

  /** Record a call of the tool and return its result. */
  weather({ city }) {
    this.calls.push(["get_weather", { city }]);
    return WEATHER[city];
  }
}

async function one(client, name, run, base, model) {
  const outcome = new Outcome();
  let detail = "";
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("TimeoutError")), 20_000);
  });
  try {
    await Promise.race([run(base, model, outcome), late]);
  } catch (error) {
    outcome.error = error?.constructor?.name ?? typeof error;
    detail = String(error?.message ?? error);
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ client, case: name, model, detail, ...outcome }));
}

/** Run every case of every client with every model that the command line names. */
export async function main(clients) {
  const [base, ...models] = process.argv.slice(2);
  for (const [client, cases] of Object.entries(clients)) {
    const runs = [];
    for (const [name, run] of Object.entries(cases))
      for (const model of models) runs.push(one(client, name, run, base, model));
    await Promise.all(runs);
  }
  process.exit(0);
}
