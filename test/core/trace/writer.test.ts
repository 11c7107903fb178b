import { describe, expect, it } from "vitest";
import { BpfError } from "#core/errors.ts";
import { LIMITS } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import { taskFacts } from "#core/trace/task_facts.ts";
import { TraceWriter, type TraceWriterOptions } from "#core/trace/writer.ts";
import { schemaWith } from "#property-tests/arbitraries/traces.ts";

function schema(contextBytes: number, cpus = 2): TraceSchema {
  const hook = { id: 7, hook: "tracepoint/a/b", struct: "trace_event_raw_b", fields: [] };
  return schemaWith([{ ...hook, size: contextBytes }], cpus);
}

function open(options: Partial<TraceWriterOptions> = {}) {
  const chunks: Uint8Array[] = [];
  const write = (bytes: Uint8Array): void => {
    chunks.push(bytes.slice());
  };
  const writer = new TraceWriter({ schema: schema(8), write, ...options });
  return { chunks, writer, task: writer.task(taskFacts({ pid: 1, tid: 1 })) };
}

/** The blocks of a trace as `"tasks 3"`, `"events 4096"`, ... */
async function outline(chunks: readonly Uint8Array[]): Promise<string[]> {
  async function* stream() {
    yield* chunks;
  }
  const blocks: string[] = [];
  for await (const block of await TraceReader.open(stream())) {
    if (block.kind === "events") blocks.push(`events ${block.count}`);
    else if (block.kind === "tasks") {
      blocks.push(
        `tasks ${block.tasks.map(({ slot, facts }) => `${slot}=${facts.tid}`).join(" ")}`,
      );
    } else blocks.push(block.kind);
  }
  return blocks;
}

describe("blocks end", () => {
  it("after 4,096 records", async () => {
    const { chunks, writer, task } = open();
    for (let i = 0; i < 4097; i++) writer.append(0, i, 0, task, 7, new Uint8Array(8));
    writer.finish();
    expect(await outline(chunks)).toEqual(["tasks 0=1", "events 4096", "events 1", "end"]);
  });

  it("before they exceed 1 MiB", async () => {
    const { chunks, writer, task } = open({ schema: schema(LIMITS.contextBytes) });
    const context = new Uint8Array(LIMITS.contextBytes);
    for (let i = 0; i < 16; i++) writer.append(0, i, 0, task, 7, context);
    writer.finish();
    expect(await outline(chunks)).toEqual(["tasks 0=1", "events 15", "events 1", "end"]);
  });

  it("where time moves on by more than 32 bits, and not by exactly as much", async () => {
    const { chunks, writer, task } = open();
    writer.append(0, 5, 0, task, 7, new Uint8Array(8));
    writer.append(1, 4, 0, task, 7, new Uint8Array(8));
    writer.append(1, 5, 0, task, 7, new Uint8Array(8));
    writer.finish();
    expect(await outline(chunks)).toEqual(["tasks 0=1", "events 2", "events 1", "end"]);
  });
});

describe("task slots", () => {
  it("go to a new task from the one that was used least recently", async () => {
    const { chunks, writer } = open({ taskSlots: 2 });
    const [a, b, c] = [11, 12, 13].map((tid) => writer.task(taskFacts({ tid })));
    for (const task of [a, b, a, c, a, b]) writer.append(0, 0, 0, task!, 7, new Uint8Array(8));
    writer.finish();
    expect(await outline(chunks)).toEqual([
      "tasks 0=11 1=12",
      "events 3",
      "tasks 1=13",
      "events 2",
      "tasks 1=12",
      "events 1",
      "end",
    ]);
  });

  it("change hands within a block where the block does not use them", async () => {
    const { chunks, writer } = open({ taskSlots: 2, blockRecords: 2 });
    const [a, b, c] = [11, 12, 13].map((tid) => writer.task(taskFacts({ tid })));
    for (const task of [a, b, b, c]) writer.append(0, 0, 0, task!, 7, new Uint8Array(8));
    writer.finish();
    const blocks = ["tasks 0=11 1=12", "events 2", "tasks 0=13", "events 2", "end"];
    expect(await outline(chunks)).toEqual(blocks);
  });

  it("are not confused by a task of another writer", async () => {
    const { chunks, writer, task } = open();
    const other = open();
    other.writer.append(0, 0, 0, other.task, 7, new Uint8Array(8));
    writer.append(0, 0, 0, task, 7, new Uint8Array(8));
    writer.append(0, 0, 0, other.task, 7, new Uint8Array(8));
    writer.finish();
    expect(await outline(chunks)).toEqual(["tasks 0=1 1=1", "events 2", "end"]);
  });
});

describe("append refuses", () => {
  it.each([
    ["an unknown hook", 0, 5, 0, 8, 8, /no hook has the id 8/],
    ["a hook beyond the ids", 0, 5, 0, 256, 8, /no hook has the id 256/],
    ["a CPU beyond the schema's", 0, 5, 2, 7, 8, /no CPU 2/],
    ["a short context", 0, 5, 0, 7, 7, /too short/],
    ["a time before the last one", 0, 4, 0, 7, 8, /older/],
  ])("%s, and appends nothing", async (_, high, low, cpu, hook, bytes, message) => {
    const { chunks, writer, task } = open();
    writer.append(0, 5, 0, task, 7, new Uint8Array(8));
    expect(() => writer.append(high, low, cpu, task, hook, new Uint8Array(bytes))).toThrow(message);
    writer.append(0, 5, 1, task, 7, new Uint8Array(8));
    expect(writer.finish().records).toBe(2);
    expect(await outline(chunks)).toEqual(["tasks 0=1", "events 2", "end"]);
  });

  it("everything after finish", () => {
    const { writer, task } = open();
    writer.finish();
    expect(() => writer.append(0, 0, 0, task, 7, new Uint8Array(8))).toThrow(BpfError);
    expect(() => writer.loss([{ reason: "missed", records: 1 }])).toThrow(BpfError);
    expect(() => writer.finish()).toThrow(BpfError);
  });

  it("everything after a failed write, so that no trace with a hole gets a trailer", () => {
    let full = false;
    const write = (): void => {
      if (full) throw new Error("no space left");
    };
    const { writer, task } = open({ write, blockRecords: 1 });
    writer.append(0, 0, 0, task, 7, new Uint8Array(8));
    full = true;
    expect(() => writer.append(0, 0, 0, task, 7, new Uint8Array(8))).toThrow("no space left");
    full = false;
    expect(() => writer.append(0, 0, 0, task, 7, new Uint8Array(8))).toThrow(/failed/);
    expect(() => writer.finish()).toThrow(/failed/);
  });
});

describe("the constructor refuses", () => {
  it.each([
    ["no task slots", { taskSlots: 0 }, /task slots: 0/],
    ["more task slots than a u16 names", { taskSlots: 65537 }, /task slots: 65537/],
    ["blocks over 4,096 records", { blockRecords: 4097 }, /records in a block: 4097/],
    ["contexts over 64 KiB", { schema: schema(LIMITS.contextBytes + 1) }, /schema/],
  ])("%s", (_, options, message) => {
    expect(() => open(options)).toThrow(message);
  });
});
