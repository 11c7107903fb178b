/** `tapio-bpf top`: which programs of a run in progress see, lose and cost the most right now. */
import { setTimeout as sleep } from "node:timers/promises";
import { programRates, RATE_ORDERS, type RateOrder } from "#core/telemetry/program_rates.ts";
import type { Command, OutputFormat } from "../command.ts";
import type { ControlClient } from "../daemon/control_client.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";
import { integerOption, secondsOption } from "../numbers.ts";
import { catchInterrupt } from "../run/interrupt.ts";
import type { StatisticsReport } from "../run/parts/telemetry.ts";
import { clearScreen } from "../telemetry/clear_screen.ts";
import { formatTop } from "../telemetry/format_top.ts";
import { UsageError } from "../usage_error.ts";

const INTERVAL_DEFAULT_S = 2;
const FRAMES_MAX = 1_000_000_000;

interface TopOptions {
  readonly every_s: number;
  readonly frames: number;
  readonly order: RateOrder;
  readonly output: OutputFormat;
}

function orderOption(value: string | boolean | undefined): RateOrder {
  const order = value ?? "seen";
  if (RATE_ORDERS.some((known) => known === order)) return order as RateOrder;
  throw new UsageError(`--sort ${order}: programs are ranked by ${RATE_ORDERS.join(", ")}`);
}

async function showFrames(client: ControlClient, options: TopOptions): Promise<void> {
  const interrupt = catchInterrupt();
  const read = async () => (await client.call("stats.show")) as StatisticsReport;
  try {
    let before = await read();
    for (let frame = 0; frame < options.frames; frame++) {
      const pause = sleep(options.every_s * 1000, undefined, { signal: interrupt.signal });
      await pause.catch(() => undefined);
      if (interrupt.signal.aborted) return;
      const now = await read();
      showFrame(now, programRates(before.programs, now.programs, options.order), options.output);
      before = now;
    }
  } finally {
    interrupt.stop();
  }
}

function showFrame(
  { health }: StatisticsReport,
  programs: ReturnType<typeof programRates>,
  output: OutputFormat,
): void {
  if (output === "json") {
    console.log(JSON.stringify({ health, programs }));
    return;
  }
  clearScreen();
  console.log(formatTop(health, programs));
}

export const topCommand: Command = {
  words: ["top"],
  summary: "ranks the programs of a run in progress by what they do per second",
  usage: `[--sort ${RATE_ORDERS.join("|")}] [--interval SECONDS] [--frames N] [--socket PATH] [-o json|table]`,
  options: {
    ...SOCKET_OPTION,
    sort: { type: "string" },
    interval: { type: "string" },
    frames: { type: "string" },
  },
  positionals: [0, 0],
  async run({ options, output }) {
    const top: TopOptions = {
      every_s: secondsOption("interval", options["interval"]) ?? INTERVAL_DEFAULT_S,
      frames: integerOption("frames", options["frames"], [1, FRAMES_MAX], FRAMES_MAX),
      order: orderOption(options["sort"]),
      output,
    };
    await withRun(options["socket"], (client) => showFrames(client, top));
    return 0;
  },
};
