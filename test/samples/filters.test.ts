/** Rules on a real recording: what they match is gone from records and bytes, and nothing else is. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { runSimulated } from "#cli/run/simulated.ts";
import { configSchema } from "#core/config/config.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { FilterRuleInput } from "#core/filters/rule.ts";
import { CollectingSink, type Delivered } from "../support/collecting_sink.ts";

const SAMPLE = fileURLToPath(new URL("../../samples/web-loss.trace", import.meta.url));

async function run(rules: readonly FilterRuleInput[]): Promise<Delivered[]> {
  const sink = new CollectingSink();
  await runSimulated({
    collectors: [...COLLECTORS.values()],
    source: { kind: "trace", path: SAMPLE, duration_s: undefined },
    sinks: [sink],
    config: configSchema.parse({ filters: { rules } }),
    engine: "aot",
    cpus: 0,
    seed: 1,
    preemptionInterval: 0,
    progress: false,
  });
  return sink.events;
}

const bytesOf = (events: readonly Delivered[]): number =>
  events.reduce((sum, { bytes }) => sum + bytes, 0);

/** Processes, each with its events, whose share comes as close to `share` from below as they can. */
function processesFor(events: readonly Delivered[], share: number): Set<number> {
  const counts = new Map<number, number>();
  for (const { event } of events) {
    const pid = event["pid"] as number;
    if (pid > 0) counts.set(pid, (counts.get(pid) ?? 0) + 1);
  }
  const chosen = new Set<number>();
  let left = Math.floor(events.length * share);
  for (const [pid, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (count > left) continue;
    chosen.add(pid);
    left -= count;
  }
  return chosen;
}

describe("rules on the sample", () => {
  let all: Delivered[] = [];
  beforeAll(async () => {
    all = await run([]);
  });

  test("a set that rejects 60 % cuts records and bytes by exactly that", async () => {
    const pids = processesFor(all, 0.6);
    const rules = [...pids].map((pid) => ({ type: "pid" as const, pid, action: "deny" as const }));
    const rejected = all.filter(({ event }) => pids.has(event["pid"] as number));
    const kept = await run(rules);
    const share = rejected.length / all.length;
    console.log(
      JSON.stringify({
        rules: rules.length,
        records: [all.length, kept.length],
        bytes: [bytesOf(all), bytesOf(kept)],
        rejected_share: share,
      }),
    );
    expect(share).toBeGreaterThan(0.59);
    expect(share).toBeLessThanOrEqual(0.6);
    expect(kept.length).toBe(all.length - rejected.length);
    expect(bytesOf(kept)).toBe(bytesOf(all) - bytesOf(rejected));
    const wanted = all.filter(({ event }) => !pids.has(event["pid"] as number));
    expect(kept.map(({ key }) => key).sort()).toEqual(wanted.map(({ key }) => key).sort());
  });

  test("an allowed network leaves its own TCP events", async () => {
    const source = all.find(({ event }) => event["event"] === "tcp_state")!.event[
      "source_address"
    ] as string;
    const kept = await run([{ type: "network", cidr: source, action: "allow" }]);
    const wanted = all.filter(
      ({ event }) => event["source_address"] === source || event["destination_address"] === source,
    );
    expect(kept.map(({ key }) => key).sort()).toEqual(wanted.map(({ key }) => key).sort());
    expect(kept.length).toBeGreaterThan(0);
  });

  test("an allowed command leaves its own events", async () => {
    const command = all[0]!.event["command"] as string;
    const kept = await run([{ type: "command", command, action: "allow" }]);
    const wanted = all.filter(({ event }) => event["command"] === command);
    expect(kept.map(({ key }) => key).sort()).toEqual(wanted.map(({ key }) => key).sort());
  });
});
