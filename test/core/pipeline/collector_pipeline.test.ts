/** The pipeline over a ring that holds what the test puts there. */
import { beforeEach, describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfObject, RecordBatch, RecordBatchHandler } from "#core/backend.ts";
import { createCodec } from "#core/btf/codec.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { findType } from "#core/btf/queries.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import { eventObject } from "#core/events/event_json.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import { parseElf } from "#wasm/loader/elf.ts";

const TCP = COLLECTORS.get("tcp")!;
const CPUS = 2;
const elf = parseElf(readArtifact("bpf/tcp_monitor.bpf.o"), "tcp");
const btf = parseBtf(elf.sections.find(({ name }) => name === ".BTF")!.data);
const codec = (name: string) => createCodec(btf, findType(btf, name, "struct")!);
const [event, statistics] = [codec("tcp_event"), codec("bpf_statistics")];

/** Records waiting to be read; a handler that throws leaves them there. */
let waiting: Uint8Array[];
/** `struct bpf_statistics` by program and CPU. */
let counters: Record<string, number>[][];

beforeEach(() => {
  waiting = [];
  counters = Array.from({ length: 4 }, () => Array.from({ length: CPUS }, () => ({})));
});

function consume(handler: RecordBatchHandler): number {
  const count = waiting.length;
  if (count === 0) return 0;
  const lengths = Uint32Array.from(waiting, (record) => record.length);
  const offsets = Uint32Array.from(lengths, (_, i) => 8 + 256 * i);
  const buffer = new Uint8Array(8 + 256 * count);
  waiting.forEach((record, i) => {
    buffer.set(record, offsets[i]!);
  });
  handler({ buffer, view: new DataView(buffer.buffer), offsets, lengths, count });
  waiting = [];
  return count;
}

const OBJECT = {
  btf,
  maps: new Map<string, unknown>([
    ["events", { ring: () => ({ consume, availableBytes: () => waiting.length }) }],
    [
      "probe_stats",
      {
        name: "probe_stats",
        spec: { valueSize: statistics.size },
        valueBytes: statistics.size * CPUS,
        lookup(key: Uint8Array, value: Uint8Array) {
          counters[key[0]!]!.forEach((cpu, i) => {
            statistics.encode(cpu, value, i * statistics.size);
          });
          return true;
        },
      },
    ],
  ]),
  programs: new Map(
    TCP.programs.map(({ name }) => [name, { info: () => ({ recursionMisses: 3 }) }]),
  ),
} as unknown as BpfObject;

class Collected implements Sink {
  readonly name = "collected";
  readonly events: unknown[] = [];
  failures = 0;

  write(batch: RecordBatch, schema: EventSchema): void {
    if (this.failures-- > 0) throw new Error("disk full");
    for (let i = 0; i < batch.count; i++) {
      const object = eventObject(batch, i, schema);
      if (object !== undefined) this.events.push(object);
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

interface Header {
  readonly type?: number;
  readonly program?: number;
  readonly cpu?: number;
  readonly sequence?: number;
}

function record(header: Header = {}, length: number = event.size): Uint8Array {
  const bytes = new Uint8Array(event.size);
  const fields = { type: 1, program: 0, cpu: 0, sequence: 1, length, ...header };
  event.encode({ header: fields, family: 2 }, bytes, 0);
  return bytes.subarray(0, length);
}

/** The kernel's side of `sent` events of one program on one CPU. */
function sent(program: number, cpu: number, events: number): void {
  counters[program]![cpu] = { events_seen: events, filter_hits: events, events_sent: events };
}

function open(...sinks: Sink[]): CollectorPipeline {
  return new CollectorPipeline(TCP, OBJECT, CPUS, sinks);
}

describe("delivery", () => {
  it("counts what every sink accepted, by program, CPU and event", () => {
    const sink = new Collected();
    const pipeline = open(sink);
    waiting = [record(), record({ type: 3, program: 1, cpu: 1 })];
    sent(0, 0, 1);
    sent(1, 1, 1);
    expect(pipeline.pump()).toBe(2);
    expect(pipeline.events()).toEqual({ tcp_state: 1, tcp_connect_failed: 0, tcp_retransmit: 1 });
    expect(pipeline.books()).toMatchObject({ seen: 2, delivered: 2, in_flight: 0, residual: 0 });
    expect(sink.events.length).toBe(2);
  });

  it("a batch that any sink threw at is not delivered, stays in flight and comes again", () => {
    const [first, second] = [new Collected(), new Collected()];
    second.failures = 1;
    const pipeline = open(first, second);
    waiting = [record(), record({ sequence: 2 })];
    sent(0, 0, 2);
    expect(() => pipeline.pump()).toThrow("disk full");
    expect(pipeline.books()).toMatchObject({ delivered: 0, in_flight: 2, residual: 0 });
    expect(pipeline.pump()).toBe(2);
    expect(pipeline.books()).toMatchObject({ delivered: 2, in_flight: 0, residual: 0 });
    expect(second.events.length).toBe(2);
    expect(pipeline.missingSequences()).toBe(0);
  });

  it("what was sent and is not in the ring any more is residual, not in flight", () => {
    const pipeline = open();
    sent(0, 1, 5);
    expect(pipeline.books()).toMatchObject({ seen: 5, in_flight: 0, residual: 5 });
    const wrong = pipeline.programBooks().filter(({ books }) => books.residual !== 0);
    expect(wrong).toMatchObject([{ program: "tcp_state", cpu: 1 }]);
  });

  it("runs that the kernel skipped stand once for each program", () => {
    expect(open().books().unobserved).toBe(3 * TCP.programs.length);
  });
});

describe("a record that is no event", () => {
  it.each([
    ["of a type that the collector lacks", record({ type: 77 })],
    ["shorter than its type", record({}, event.size - 1)],
  ])("%s is dropped as malformed in its program's books, and reaches no file", (_, bad) => {
    const sink = new Collected();
    const pipeline = open(sink);
    waiting = [bad, record({ sequence: 2 })];
    sent(0, 0, 2);
    pipeline.pump();
    expect(pipeline.malformed).toBe(1);
    const { dropped, delivered, residual } = pipeline.books();
    expect({ dropped, delivered, residual }).toEqual({
      dropped: { ring_full: 0, malformed: 1 },
      delivered: 1,
      residual: 0,
    });
    expect(sink.events.length).toBe(1);
  });

  it.each([
    ["shorter than a header", record({}, 8)],
    ["without bytes", record({}, 0)],
    ["of a CPU that the machine lacks", record({ cpu: CPUS })],
    ["of a program that the collector lacks", record({ program: 2 })],
  ])("%s belongs in nobody's books: it is residual", (_, bad) => {
    const pipeline = open();
    waiting = [bad];
    sent(0, 0, 1);
    pipeline.pump();
    expect(pipeline.malformed).toBe(1);
    expect(pipeline.books()).toMatchObject({ delivered: 0, residual: 1 });
  });
});

it.each([
  ["map", "events", "its object has no map events"],
  ["map", "probe_stats", "its object has no map probe_stats"],
  ["program", "tcp_state", "its object has no program tcp_state"],
])("an object without the %s %s is refused by name", (kind, name, message) => {
  const without = <Value>(map: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...map].filter(([key]) => key !== name));
  const object = {
    ...OBJECT,
    maps: kind === "map" ? without(OBJECT.maps) : OBJECT.maps,
    programs: kind === "program" ? without(OBJECT.programs) : OBJECT.programs,
  };
  expect(() => new CollectorPipeline(TCP, object, CPUS, [])).toThrow(message);
});
