/** A recording replayed on the simulated kernel against what a collector saw live on the real one. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { DIFFERENCES } from "#property-tests/differences.ts";
import { kernelFeatures } from "#property-tests/models/kernel_version.ts";

type Event = Readonly<Record<string, unknown>>;

/** What two programs at the same hook see differently. */
const UNEQUAL = {
  [DIFFERENCES.clock.what]: ["timestamp_ns", "duration_ns"],
  [DIFFERENCES.randomness.what]: ["randomness"],
  // Other traffic of the machine takes numbers too, and the two began at different times.
  sequence: ["sequence"],
};

function readEvents(path: string, ports: readonly number[], unequal: readonly string[]): Event[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const ours = events.filter(
    (event) =>
      ports.includes(event["source_port"] as number) ||
      ports.includes(event["destination_port"] as number),
  );
  for (const event of ours) for (const name of unequal) delete event[name];
  return ours;
}

/** Events of one CPU, and of one socket, are in the order of their hooks. */
function groupBy(field: "cpu" | "socket", events: readonly Event[]): Record<string, Event[]> {
  const groups: Record<string, Event[]> = {};
  for (const event of events) {
    const group = groups[String(event[field])] ?? [];
    group.push(event);
    groups[String(event[field])] = group;
  }
  return groups;
}

/**
 * Replays FOLDER/traffic.trace and compares with FOLDER/live.ndjson and report.json, over events of these ports. `kernel`:
 * the version of the one that both came from.
 */
export function expectSameEvents(folder: string, ports: readonly number[], kernel: string): void {
  const replayed = join(folder, "replayed.ndjson");
  const options = ["--collector", "tcp", "--trace", join(folder, "traffic.trace"), "-o", "json"];
  const run = spawnSync(
    process.execPath,
    ["cli/main.ts", "run", ...options, "--sink", `ndjson:${replayed}`],
    { encoding: "utf8" },
  );
  expect({ status: run.status, error: run.stderr }).toEqual({ status: 0, error: "" });
  expect(JSON.parse(run.stdout)).toMatchObject({ source: { lost: 0 }, books: { residual: 0 } });
  const { books } = JSON.parse(readFileSync(join(folder, "report.json"), "utf8")) as RunReport;
  expect(books, "of what was seen live").toMatchObject({ delivered: books.seen, unobserved: 0 });
  const moves = kernelFeatures(kernel).preemptibleTracepoints;
  const movable = moves ? { [DIFFERENCES.cpuOfObserver.what]: ["cpu"] } : {};
  const unequal = Object.values({ ...UNEQUAL, ...movable }).flat();
  const live = readEvents(join(folder, "live.ndjson"), ports, unequal);
  const names = new Set(live.map(({ event }) => event));
  // A machine that is slow enough retransmits, too.
  names.delete("tcp_retransmit");
  expect([...names].sort()).toEqual(["tcp_connect_failed", "tcp_state"]);
  expect(live.length).toBeGreaterThan(100);
  const by = moves ? "socket" : "cpu";
  expect(groupBy(by, readEvents(replayed, ports, unequal))).toEqual(groupBy(by, live));
}
