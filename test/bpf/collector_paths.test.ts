/** What the collectors' code does where a configuration asks for more than a plain run. */
import { beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { runSimulated } from "#cli/run/simulated.ts";
import { configSchema } from "#core/config/config.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { admittedAtMost } from "#core/rate_limits/compile_limit.ts";
import { RateLimitTable } from "#core/rate_limits/rate_limit_table.ts";
import { WORKLOAD_NAMESPACES } from "#wasm/world/workload.ts";
import { CollectingSink, type Delivered } from "../support/collecting_sink.ts";
import { openCollector } from "../support/collector_machine.ts";

const DURATION_S = 0.05;
const CPUS = 2;

interface Outcome {
  readonly events: readonly Delivered[];
  readonly report: RunReport;
}

/** The same workload each time. */
async function run(
  config: unknown,
  { collectors = ["tcp"], preemptionInterval = 0 } = {},
): Promise<Outcome> {
  const sink = new CollectingSink();
  const report = await runSimulated({
    collectors: collectors.map((name) => COLLECTORS.get(name)!),
    source: { kind: "workload", name: "default", duration_s: DURATION_S },
    sinks: [sink],
    config: configSchema.parse(config),
    engine: "aot",
    cpus: CPUS,
    seed: 1,
    preemptionInterval,
    progress: false,
  });
  return { events: sink.events, report };
}

const deny = (rule: object) => ({ filters: { rules: [{ action: "deny", ...rule }] } });
const keys = (events: readonly Delivered[]): string[] => events.map(({ key }) => key);

let all: readonly Delivered[] = [];
beforeAll(async () => {
  all = (await run({})).events;
});

describe("filters that read more of the task", () => {
  it("know the cgroups above a task's own", async () => {
    const cgroup = all.map(({ event }) => event["cgroup_id"] as number).find((id) => id > 0)!;
    const { events, report } = await run(deny({ type: "cgroup", cgroup: String(cgroup) }));
    const outside = all.filter(({ event }) => event["cgroup_id"] !== cgroup);
    expect(outside.length).toBeGreaterThan(0);
    expect(keys(events)).toEqual(keys(outside));
    expect(report.books.filtered).toBe(all.length - outside.length);
  });

  it("know command names", async () => {
    const command = all[0]!.event["command"];
    const { events } = await run(deny({ type: "command", command }));
    expect(keys(events)).toEqual(keys(all.filter(({ event }) => event["command"] !== command)));
  });

  it.each(["uts", "ipc", "cgroup", "user"] as const)("know %s namespaces", async (kind) => {
    const other = await run(deny({ type: "namespace", kind, namespace: 1 }));
    expect(keys(other.events)).toEqual(keys(all));
    const namespace = WORKLOAD_NAMESPACES[kind];
    const { events, report } = await run(deny({ type: "namespace", kind, namespace }));
    expect(events).toEqual([]);
    expect(report.books.filtered).toBe(all.length);
  });
});

describe("rate limits by", () => {
  const limit = { events_per_s: 0.001, burst: 2 };
  const most = admittedAtMost(limit, DURATION_S * 1e9, CPUS);

  it.each([
    ["per_cgroup", "cgroup_id"],
    ["per_remote_address", "destination_address"],
  ])("%s admit the burst of each, and count the rest", async (name, field) => {
    const { events, report } = await run({ rate_limits: { [name]: limit } });
    const { seen, delivered, rate_limited } = report.books;
    expect(seen).toBe(delivered + rate_limited);
    const groups = Map.groupBy(events, ({ event }) => `${event["program"]} ${event[field]}`);
    expect(groups.size).toBeGreaterThan(0);
    expect(groups.size).toBeLessThan(seen);
    for (const { length } of groups.values()) {
      expect(length).toBeGreaterThan(0);
      expect(length).toBeLessThanOrEqual(most);
    }
  });
});

describe("keys beyond the table of rate limits", () => {
  it("share a bucket", async () => {
    // Two addresses have room, beside the shared buckets of both programs.
    const machine = await openCollector("tcp_monitor", { maxEntries: { rate_limit_buckets: 4 } });
    const table = new RateLimitTable(machine.object);
    table.publish({ per_remote_address: { events_per_s: 0.001, burst: 1 } });
    const struct = "trace_event_raw_inet_sock_set_state";
    const admitted: number[] = [];
    for (let host = 1; host <= 5; host++) {
      for (let event = 0; event < 3; event++) {
        const fields = { protocol: 6, family: 2, daddr: [10, 0, 0, host], newstate: 2 };
        machine.run(0, "tcp_state", struct, fields);
        if (machine.events("tcp_event").length > 0) admitted.push(host);
      }
    }
    expect(admitted).toEqual([1, 2, 3]);
    expect(table.buckets()).toBe(2);
    // Other limits find no room for their shared buckets, and are taken nevertheless.
    table.publish({ per_pid: { events_per_s: 1 } });
    expect(table.buckets()).toBe(2);
    machine.close();
  });
});

it("wake-ups by watermark lose no event", async () => {
  const { events } = await run({ rings: { wakeup_bytes: 4096 } });
  expect(keys(events)).toEqual(keys(all));
});

it("no latency is longer than the run, whichever CPU comes between a clock read and a lookup", async () => {
  const { events } = await run({}, { collectors: ["tcp", "syscall"], preemptionInterval: 2 });
  const longest_ns = events.reduce((longest, { event }) => {
    const latency = (event["duration_ns"] ?? event["latency_ns"]) as number | bigint;
    return Math.max(longest, Number(latency));
  }, 0);
  expect(longest_ns).toBeGreaterThan(0);
  expect(longest_ns).toBeLessThanOrEqual(DURATION_S * 1e9);
});
