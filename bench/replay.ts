/**
 * Events per second end to end: trace file → decode → collectors' bytecode → ring → pipeline. An
 * event is one line of the recording (a seen event), not a program run.
 */

import { runSimulated } from "#cli/run/simulated.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { DEFAULT_ENGINE } from "#wasm/engines/engines.ts";
import { type Bench, machine, median } from "./bench.ts";

const SAMPLE = "samples/web-loss.trace";
/** Runs before those that count: V8 compiles hot functions anew in the background. */
const WARM_UP_RUNS = 3;

export const replayBench: Bench = {
  rounds: 5,
  async run({ rounds, trace = SAMPLE, engine = DEFAULT_ENGINE }) {
    const rates: number[] = [];
    let events = 0;
    let records = 0;
    for (let round = 0; round < WARM_UP_RUNS + rounds; round++) {
      const report = await runSimulated({
        collectors: [...COLLECTORS.values()],
        source: { kind: "trace", path: trace, duration_s: undefined },
        sinks: [],
        engine,
        cpus: 0,
        seed: 1,
        preemptionInterval: 0,
        progress: false,
      });
      events = report.books.seen;
      records = report.source?.records ?? 0;
      rates.push(report.books.seen / report.elapsed_s);
    }
    const warm = rates.slice(WARM_UP_RUNS);
    return {
      bench: "replay",
      events_per_s: Math.round(median(warm)),
      rounds_events_per_s: warm.map(Math.round),
      cold_events_per_s: Math.round(rates[0]!),
      events,
      records,
      engine,
      trace,
      method:
        "median of whole runs, loading the objects included, after " +
        `${WARM_UP_RUNS} that warm the process up: what it made of the objects' bytes and its machine code ` +
        "are remembered from them (cold: the first of these); no sink",
      machine: machine(),
    };
  },
};
