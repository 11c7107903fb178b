/** `tapio-bpf record`: hooks of a real kernel into a trace. */
import { COLLECTORS } from "#core/events/collectors.ts";
import type { Command } from "../command.ts";
import { secondsOption } from "../numbers.ts";
import { recordKernel } from "../record/record_kernel.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import { UsageError } from "../usage_error.ts";

const DURATION_DEFAULT_S = 10;

function collectorNames(value: string | boolean | undefined): string[] {
  const names = [...new Set(String(value ?? "tcp,syscall").split(","))];
  const unknown = names.find((name) => !COLLECTORS.has(name));
  if (unknown === undefined) return names;
  const known = [...COLLECTORS.keys()].join(", ");
  throw new UsageError(`--collector ${unknown}: the collectors are ${known}`);
}

export const recordCommand: Command = {
  words: ["record"],
  summary: "records what the collectors' hooks see on this machine, for run --trace",
  usage: "-w FILE [--collector tcp,syscall] [--duration SECONDS] [--include-self] [-o json|table]",
  options: {
    write: { type: "string", short: "w" },
    collector: { type: "string" },
    duration: { type: "string" },
    "include-self": { type: "boolean" },
  },
  positionals: [0, 0],
  async run({ options, output }) {
    const { write } = options;
    if (typeof write !== "string" || write === "") {
      throw new UsageError("-w FILE is missing; it says where the trace goes");
    }
    const interrupt = catchInterrupt();
    try {
      const summary = await recordKernel({
        collectors: collectorNames(options["collector"]),
        output: write,
        duration_s: secondsOption("duration", options["duration"]) ?? DURATION_DEFAULT_S,
        includeSelf: options["include-self"] === true,
        signal: interrupt.signal,
      });
      console.log(JSON.stringify(summary, null, output === "json" ? 0 : 2));
      return 0;
    } finally {
      interrupt.stop();
    }
  },
};
