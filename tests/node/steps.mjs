// Counts what a module of ours executes: each block of its code, each time, by V8's own coverage.
import { Session } from "node:inspector/promises";

export class Steps {
  #session = new Session();

  async open() {
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** How many blocks of the file `act` executes. V8 may lose counts when it collects code: the most of three. */
  async of(file, act) {
    const counts = [];
    while (counts.length < 3) counts.push(await this.#once(file, act));
    return Math.max(...counts);
  }

  async #once(file, act) {
    await this.#session.post("Profiler.takePreciseCoverage");
    act();
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const ours = result.filter(({ url }) => url.endsWith(file));
    return ours.flatMap(({ functions }) => functions).flatMap(({ ranges }) => ranges).reduce((sum, { count }) => sum + count, 0);
  }

  close() {
    this.#session.disconnect();
  }
}
