/** `tapio-bpf stats` and `explain`: what a run in progress counted, and where events went. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Command, OutputFormat } from "../command.ts";
import type { ControlClient } from "../daemon/control_client.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";
import { secondsOption } from "../numbers.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import type { Explanation, StatisticsReport } from "../run/parts/telemetry.ts";
import { clearScreen } from "../telemetry/clear_screen.ts";
import { formatExplanation, formatStatistics } from "../telemetry/format_statistics.ts";
import { UsageError } from "../usage_error.ts";

const WATCH_DEFAULT_S = 2;

async function showOnce(client: ControlClient, output: OutputFormat): Promise<StatisticsReport> {
  const report = (await client.call("stats.show")) as StatisticsReport;
  console.log(output === "json" ? JSON.stringify(report) : formatStatistics(report));
  return report;
}

async function watch(client: ControlClient, output: OutputFormat, every_s: number): Promise<void> {
  const interrupt = catchInterrupt();
  try {
    while (!interrupt.signal.aborted) {
      if (output === "table") clearScreen();
      await showOnce(client, output);
      await sleep(every_s * 1000, undefined, { signal: interrupt.signal }).catch(() => undefined);
    }
  } finally {
    interrupt.stop();
  }
}

export const statsCommand: Command = {
  words: ["stats"],
  summary: "shows statistics and health of a run in progress",
  usage: "[--watch] [--interval SECONDS] [--socket PATH] [-o json|table]",
  options: {
    ...SOCKET_OPTION,
    watch: { type: "boolean" },
    interval: { type: "string" },
  },
  positionals: [0, 0],
  async run({ options, output }) {
    const every_s = secondsOption("interval", options["interval"]) ?? WATCH_DEFAULT_S;
    return withRun(options["socket"], async (client) => {
      if (options["watch"] === true) {
        await watch(client, output, every_s);
        return 0;
      }
      const { health } = await showOnce(client, output);
      return health.state === "failing" ? 1 : 0;
    });
  },
};

export const explainCommand: Command = {
  words: ["explain"],
  summary: "says where a run's events went, and which setting would have kept each",
  usage: "[--target-loss SHARE] [--socket PATH] [-o json|table]",
  options: { ...SOCKET_OPTION, "target-loss": { type: "string" } },
  positionals: [0, 0],
  async run({ options, output }) {
    const given = options["target-loss"];
    const target = given === undefined ? undefined : Number(given);
    if (target !== undefined && !(target >= 0 && target <= 1)) {
      throw new UsageError(`--target-loss ${given}: give a share from 0 to 1 (0.001)`);
    }
    const parameters = target === undefined ? {} : { target_loss: target };
    const explanation = await withRun(
      options["socket"],
      (client) => client.call("stats.explain", parameters) as Promise<Explanation>,
    );
    console.log(output === "json" ? JSON.stringify(explanation) : formatExplanation(explanation));
    return 0;
  },
};
