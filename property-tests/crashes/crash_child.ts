/**
 * A loaded run of the log for the crash test: appends as fast as it may and says on standard output
 * what was accepted, while two consumers read, say what they got, and acknowledge. It is killed.
 *
 * Lines: `A segment sequence payload` accepted, `D consumer segment sequence payload` delivered,
 * `K consumer sequence` acknowledged, `R corrupt` ready. A line that is cut says nothing.
 */
import { writeSync } from "node:fs";
import { openBatchLog } from "#cli/batching/open_batch_log.ts";
import type { LogCursor } from "#core/batching/log/batch_log.ts";
import { logConfigSchema } from "#core/batching/sink_config.ts";
import { CRASH_CONSUMERS, crashPayload, numberOfPayload } from "./crash_payload.ts";

const [folder, first, sync, mode] = process.argv.slice(2) as [
  string,
  string,
  "always" | "group" | "never",
  "load" | "drain",
];
/** Appends under way at once. */
const APPENDERS = 8;
/** One consumer lags, so that segments stay and are read from the disk. */
const SLOW_EVERY_MS = 5;

function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const config = {
  ...logConfigSchema.parse({}),
  ...{ sync, sync_interval_ms: 20, segment_bytes: 64 << 10, max_bytes: 1 << 20 },
};
const log = await openBatchLog({
  config,
  folder,
  header: new TextEncoder().encode("crash test"),
  consumers: CRASH_CONSUMERS,
});
say(`R ${log.getStatistics().batches_corrupt}`);
let next = Number(first);

async function appendForever(): Promise<void> {
  for (;;) {
    const number = next++;
    const result = await log.append(crashPayload(number), 1);
    if (result.status !== "accepted") throw new Error(`refused: ${result.problem}`);
    say(`A ${result.segment} ${result.sequence} ${number}`);
  }
}

async function consumeForever(cursor: LogCursor, pause_ms: number): Promise<void> {
  for (;;) {
    const record = (await cursor.next())!;
    const { segment, sequence, payload } = record;
    say(`D ${cursor.consumer} ${segment} ${sequence} ${numberOfPayload(payload)}`);
    if (pause_ms > 0) await new Promise((resolve) => setTimeout(resolve, pause_ms));
    say(`K ${cursor.consumer} ${sequence}`);
    cursor.acknowledge(sequence);
  }
}

const load = mode === "load";
await Promise.all([
  ...Array.from({ length: load ? APPENDERS : 0 }, appendForever),
  ...CRASH_CONSUMERS.map((name, i) => {
    return consumeForever(log.cursor(name), load ? i * SLOW_EVERY_MS : 0);
  }),
  // Reading alone does not keep the process running.
  new Promise(() => setInterval(() => {}, 1000)),
]);
