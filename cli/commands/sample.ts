/** `tapio-bpf sample`: sampling of a run in progress. */
import type { Command, CommandInput, OutputFormat } from "../command.ts";
import type { ShownSampling } from "../daemon/methods/sampling.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";
import { formatReservoirs } from "../run/format_reservoirs.ts";
import { formatCount, formatTable } from "../table.ts";
import { UsageError } from "../usage_error.ts";

function numberOption(options: CommandInput["options"], name: string): number | undefined {
  const given = options[name];
  if (given === undefined) return undefined;
  const value = Number(given);
  if (String(given).trim() !== "" && Number.isFinite(value)) return value;
  throw new UsageError(`--${name} ${given}: give a number`);
}

/** `tcp_state=0.5,syscall=0.01` */
function typesOption(given: string | boolean | undefined): Record<string, number> | undefined {
  if (typeof given !== "string") return undefined;
  return Object.fromEntries(
    given.split(",").map((part) => {
      const [, name, rate] = /^([^=]+)=(.+)$/.exec(part) ?? [];
      if (name === undefined || !Number.isFinite(Number(rate))) {
        throw new UsageError(`--type ${part}: give NAME=RATE (syscall=0.01)`);
      }
      return [name, Number(rate)];
    }),
  );
}

function show(statistics: ShownSampling, output: OutputFormat): void {
  if (output === "json") {
    console.log(JSON.stringify(statistics));
    return;
  }
  const { strategy, totalEvents, sampledEvents, effectiveSampleRate, rates, reservoirs } =
    statistics;
  const rows = [
    ["strategy", strategy],
    ["events", formatCount(totalEvents)],
    ["kept", formatCount(sampledEvents)],
    ["kept part", effectiveSampleRate.toPrecision(4)],
    ...Object.entries(rates).map(([type, rate]) => [`rate of ${type}`, rate.toPrecision(4)]),
  ];
  console.log(formatTable(rows, ""));
  if (reservoirs !== undefined) console.log(`\n${formatReservoirs(reservoirs)}`);
}

export const sampleSetCommand: Command = {
  words: ["sample", "set"],
  summary: "changes the sampling of a run in progress, as one epoch",
  usage:
    "[--strategy none|uniform|adaptive|tail|priority] [--rate 0..1] [--type NAME=RATE[,...]] " +
    "[--target EVENTS_PER_S] [--socket PATH] [-o json|table]",
  options: {
    ...SOCKET_OPTION,
    strategy: { type: "string" },
    rate: { type: "string" },
    type: { type: "string", multiple: true },
    target: { type: "string" },
  },
  positionals: [0, 0],
  async run({ options, output }) {
    const { strategy } = options;
    const rate = numberOption(options, "rate");
    const types = typesOption(options["type"]);
    const target_events_per_s = numberOption(options, "target");
    const wanted = {
      ...(strategy === undefined ? {} : { strategy }),
      ...(rate === undefined ? {} : { rate }),
      ...(types === undefined ? {} : { types }),
      ...(target_events_per_s === undefined ? {} : { target_events_per_s }),
    };
    if (Object.keys(wanted).length === 0) {
      throw new UsageError("sample set: say what to change: --strategy, --rate, --type, --target");
    }
    const statistics = await withRun(options["socket"], (client) =>
      client.call("sampling.set", wanted),
    );
    show(statistics as ShownSampling, output);
    return 0;
  },
};

export const sampleShowCommand: Command = {
  words: ["sample", "show"],
  summary: "shows the sampling of a run in progress",
  usage: "[--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options, output }) {
    const statistics = await withRun(options["socket"], (client) => client.call("sampling.show"));
    show(statistics as ShownSampling, output);
    return 0;
  },
};
