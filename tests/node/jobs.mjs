// One process for many jobs of a program: a line of JSON in (its arguments), a line of JSON out.
// usage: jobs.mjs ./PROGRAM.mjs, whose default export does one job.
import { createInterface } from "node:readline";

const { default: run } = await import(process.argv[2]);
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await run(...JSON.parse(line)))}\n`);
}
