/**
 * The whole recording, line for line: every line of the text file is one delivered event with the
 * same facts, in time order. Runs where the recording is (`../shared/traces`), a skip elsewhere.
 */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createZstdDecompress } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { runSimulated } from "#cli/run/simulated.ts";
import { traceImport } from "#cli/trace_import.ts";
import type { RecordBatch } from "#core/backend.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { type EventObject, eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";

const RECORDING = "../shared/traces/web-loss.tsv.zst";

/** From the recording's own description. */
const TRANSITIONS = {
  "7>2": 7853,
  "2>1": 7821,
  "2>7": 28,
  "10>3": 7821,
  "3>1": 7821,
  "1>4": 7910,
  "1>8": 7738,
  "1>7": 2,
  "4>5": 7730,
  "4>11": 170,
  "11>7": 170,
  "5>7": 7730,
  "8>9": 7736,
  "8>7": 2,
  "9>7": 7727,
};

type Line = readonly string[];

/** What identifies an event, and what it says, from a line of text. */
function lineFacts(line: Line): readonly [string, string] {
  const [kind, ts, cpu, pid, tid, comm, cgroup, ...rest] = line;
  const who = [pid, comm, cgroup].join();
  if (kind === "Y") return [`Y${ts}.${cpu}.${tid}`, [who, rest[0], rest[1]].join()];
  const [socket, ...more] = rest;
  return [`${kind}${ts}.${cpu}.${tid}`, [who, BigInt(`0x${socket}`), ...more].join()];
}

/** The same of a delivered event. */
function eventFacts(event: EventObject): readonly [string, string] {
  const e = event as Record<string, string | number>;
  const who = [e["pid"], e["command"], e["cgroup_id"]].join();
  const key = `${e["timestamp_ns"]}.${e["cpu"]}.${e["tid"]}`;
  if (e["event"] === "syscall") return [`Y${key}`, [who, e["number"], e["result"]].join()];
  const ends = [e["source_port"], e["destination_port"], e["family"]];
  const addresses = [e["source_address"], e["destination_address"]];
  const socket = BigInt(e["socket"] as string);
  if (e["event"] === "tcp_retransmit") {
    return [`R${key}`, [who, socket, e["old_state"], ...ends, ...addresses].join()];
  }
  const states = [e["old_state"], e["new_state"]];
  return [`S${key}`, [who, socket, ...states, ...ends, ...addresses].join()];
}

/** Crosses delivered events off against the lines of the recording. */
class Comparison implements Sink {
  readonly name = "comparison";
  readonly transitions: Record<string, number> = {};
  readonly #lines = new Map<string, string>();
  readonly #latencies = new Map<string, number>();
  outOfOrder = 0;
  different: string[] = [];
  unknown: string[] = [];
  latencyDifferences = 0;
  #last_ns = new Map<string, number>();

  add(line: Line): void {
    const [key, facts] = lineFacts(line);
    if (this.#lines.has(key)) throw new Error(`two lines are ${key}`);
    this.#lines.set(key, facts);
    if (line[0] === "Y") this.#latencies.set(key, Number(line[9]));
  }

  get linesLeft(): number {
    return this.#lines.size;
  }

  write(batch: RecordBatch, schema: EventSchema): void {
    for (let i = 0; i < batch.count; i++) this.#check(eventObject(batch, i, schema)!, schema);
  }

  #check(event: EventObject, schema: EventSchema): void {
    const ring = schema.collector.name;
    const time_ns = event["timestamp_ns"] as number;
    if (time_ns < (this.#last_ns.get(ring) ?? 0)) this.outOfOrder++;
    this.#last_ns.set(ring, time_ns);
    const [key, facts] = eventFacts(event);
    const expected = this.#lines.get(key);
    if (expected === undefined) this.unknown.push(key);
    else if (expected !== facts) this.different.push(`${key}: ${facts}, not ${expected}`);
    this.#lines.delete(key);
    if (key.startsWith("S")) {
      const change = `${event["old_state"]}>${event["new_state"]}`;
      this.transitions[change] = (this.transitions[change] ?? 0) + 1;
    }
    if (key.startsWith("Y") && this.#latencies.get(key) !== event["latency_ns"]) {
      this.latencyDifferences++;
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

describe.skipIf(!existsSync(RECORDING))("the whole recording", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapio-recording-"));
  const comparison = new Comparison();
  let adjusted = 0;
  let report: RunReport;

  beforeAll(async () => {
    const text = createReadStream(RECORDING).pipe(createZstdDecompress());
    for await (const line of createInterface({ input: text })) comparison.add(line.split("\t"));
    const path = join(folder, "web-loss.trace");
    const summary = await traceImport({ input: RECORDING, output: path, log: () => {} });
    adjusted = summary.adjusted;
    report = await runSimulated({
      collectors: [...COLLECTORS.values()],
      source: { kind: "trace", path, duration_s: undefined },
      sinks: [comparison],
      engine: "ubpf",
      cpus: 0,
      seed: 1,
      preemptionInterval: 0,
      progress: false,
    });
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("every line is delivered as one event with the same facts, and nothing else is", () => {
    expect(comparison.unknown).toEqual([]);
    expect(comparison.different).toEqual([]);
    expect(comparison.linesLeft).toBe(0);
    expect(report.events).toEqual({
      tcp_state: 78_259 - 28,
      tcp_connect_failed: 28,
      tcp_retransmit: 772,
      syscall: 1_021_837,
    });
  });

  it("the books balance with nothing left over", () => {
    const { residual, in_flight, seen, delivered } = report.books;
    expect({ residual, in_flight, seen, delivered }).toEqual({
      residual: 0,
      in_flight: 0,
      seen: 1_100_868,
      delivered: 1_100_868,
    });
  });

  it("the transitions are those of the recording's description", () => {
    expect(comparison.transitions).toEqual(TRANSITIONS);
  });

  it("events of a ring come in time order", () => {
    expect(comparison.outOfOrder).toBe(0);
  });

  it("latencies are the recorded ones, but for the pairs whose clock was read twice", () => {
    expect(comparison.latencyDifferences).toBe(adjusted);
    expect(adjusted).toBe(72);
  });
});
