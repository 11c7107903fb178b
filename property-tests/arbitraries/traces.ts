/** Random traces, and the means to write and read them back as plain values. */

import fc from "fast-check";
import type { Decompress } from "#core/trace/block_reader.ts";
import type { Loss, TraceTotals } from "#core/trace/format.ts";
import { LOSS_REASONS } from "#core/trace/format.ts";
import { TraceReader } from "#core/trace/reader.ts";
import type { HookLayout, TraceSchema } from "#core/trace/schema.ts";
import { commBytes, type TaskFacts, taskFacts } from "#core/trace/task_facts.ts";
import { TraceWriter } from "#core/trace/writer.ts";

export interface PlainEvent {
  readonly kind: "event";
  readonly time_ns: bigint;
  readonly cpu: number;
  readonly task: TaskFacts;
  readonly hook: number;
  readonly context: Uint8Array;
}

export interface PlainLoss {
  readonly kind: "loss";
  readonly losses: readonly Loss[];
}

export type PlainItem = PlainEvent | PlainLoss;

export interface PlainTrace {
  readonly schema: TraceSchema;
  readonly items: readonly PlainItem[];
  readonly taskSlots: number;
  readonly blockRecords: number;
}

const u32 = fc.nat(0xffffffff);

const task: fc.Arbitrary<TaskFacts> = fc.record({
  pid: u32,
  tid: u32,
  parent_pid: u32,
  uid: u32,
  gid: u32,
  cgroup_id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  start_ns: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  namespaces: fc.record({
    pid: u32,
    net: u32,
    mnt: u32,
    uts: u32,
    ipc: u32,
    cgroup: u32,
    user: u32,
  }),
  comm: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

const hook = (id: number, size: number): HookLayout => ({
  id,
  hook: `tracepoint/test/hook_${id}`,
  struct: `trace_event_raw_hook_${id}`,
  size,
  fields: [{ name: "first", offset: 0, size: 1, signed: false, count: size }],
});

const hooks = fc
  .uniqueArray(fc.nat(255), { minLength: 1, maxLength: 4 })
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.integer({ min: 1, max: 90 }).map((s) => hook(id, s)))),
  );

const loss: fc.Arbitrary<PlainLoss> = fc.record({
  kind: fc.constant("loss" as const),
  losses: fc.array(
    fc.record({ reason: fc.constantFrom(...LOSS_REASONS), records: fc.nat(1_000_000) }),
    { minLength: 1, maxLength: 3 },
  ),
});

/** Steps of time that stay within a block, that just do, that just do not, and that never do. */
const step_ns = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 10_000n }),
  fc.constantFrom(0xffffffffn, 0x100000000n, 0x100000001n),
  fc.bigInt({ min: 0n, max: 2n ** 40n }),
);

interface EventSeed {
  readonly kind: "event";
  readonly step_ns: bigint;
  readonly cpu: number;
  readonly task: number;
  readonly hook: number;
  readonly context: Uint8Array;
}

const eventSeed: fc.Arbitrary<EventSeed> = fc.record({
  kind: fc.constant("event" as const),
  step_ns,
  cpu: fc.nat(0xffff),
  task: fc.nat(),
  hook: fc.nat(),
  context: fc.uint8Array({ minLength: 90, maxLength: 90 }),
});

/** Traces with few task slots and short blocks, so that both run out often. */
export const plainTrace: fc.Arbitrary<PlainTrace> = fc
  .record({
    hooks,
    cpus: fc.integer({ min: 1, max: 65536 }),
    start_ns: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 2n ** 62n })),
    tasks: fc.array(task, { minLength: 1, maxLength: 6 }),
    seeds: fc.array(fc.oneof({ weight: 15, arbitrary: eventSeed }, { weight: 1, arbitrary: loss })),
    taskSlots: fc.integer({ min: 1, max: 5 }),
    blockRecords: fc.integer({ min: 1, max: 20 }),
  })
  .map(({ hooks, cpus, start_ns, tasks, seeds, taskSlots, blockRecords }) => {
    let time_ns = start_ns;
    const items = seeds.map((seed): PlainItem => {
      if (seed.kind === "loss") return seed;
      time_ns += seed.step_ns;
      const { id, size } = hooks[seed.hook % hooks.length]!;
      const context = seed.context.subarray(0, size);
      const task = tasks[seed.task % tasks.length]!;
      return { kind: "event", time_ns, cpu: seed.cpu % cpus, task, hook: id, context };
    });
    return { schema: schemaWith(hooks, cpus), items, taskSlots, blockRecords };
  });

export function schemaWith(hooks: readonly HookLayout[], cpus: number): TraceSchema {
  return {
    source: "property test",
    kernel: "6.18",
    machine: "x86_64",
    cpus,
    clock: "monotonic",
    taskFacts: ["pid", "tid"],
    hooks: [...hooks],
  };
}

/** A trace of three events, one task and one loss, for tests that try every byte or bit of it. */
export const SMALL_TRACE: PlainTrace = (() => {
  const task = taskFacts({ pid: 17, tid: 18, uid: 1000, cgroup_id: 5n, comm: commBytes("nginx") });
  const event = (time_ns: bigint, cpu: number, id: number, size: number): PlainEvent => ({
    kind: "event",
    time_ns,
    cpu,
    task,
    hook: id,
    context: new Uint8Array(size).map((_, index) => (index % 5) * id),
  });
  return {
    schema: schemaWith([hook(1, 8), hook(2, 24)], 2),
    items: [
      event(10_000_000_000n, 0, 1, 8),
      event(10_000_000_500n, 1, 2, 24),
      { kind: "loss", losses: [{ reason: "ring_full", records: 3 }] },
      event(20_000_000_000n, 0, 2, 24),
    ],
    taskSlots: 4,
    blockRecords: 4096,
  };
})();

/** Writes a trace through `TraceWriter`; returns its bytes. */
export function writePlain(
  trace: PlainTrace,
  compress?: (raw: Uint8Array) => Uint8Array,
): { bytes: Uint8Array; totals: TraceTotals } {
  const chunks: Uint8Array[] = [];
  const { schema, taskSlots, blockRecords } = trace;
  const write = (bytes: Uint8Array): void => {
    chunks.push(bytes.slice());
  };
  const options = { schema, write, taskSlots, blockRecords };
  const writer = new TraceWriter(compress === undefined ? options : { ...options, compress });
  const known = new Map<TaskFacts, ReturnType<TraceWriter["task"]>>();
  for (const item of trace.items) {
    if (item.kind === "loss") {
      writer.loss(item.losses);
      continue;
    }
    const task = known.get(item.task) ?? writer.task(item.task);
    known.set(item.task, task);
    const high = Number(item.time_ns >> 32n);
    const low = Number(item.time_ns & 0xffffffffn);
    writer.append(high, low, item.cpu, task, item.hook, item.context);
  }
  const totals = writer.finish();
  return { bytes: concat(chunks), totals };
}

/** What a reader yielded: all of it, or all up to an error. */
export interface ReadResult {
  readonly schema: TraceSchema | undefined;
  readonly items: PlainItem[];
  readonly totals: TraceTotals | undefined;
  /** The most slots that were defined at any time. */
  readonly slotsUsed: number;
  readonly error: unknown;
}

/** Reads a trace through `TraceReader` into values that outlive its reused arrays. */
export async function readPlain(
  chunks: Iterable<Uint8Array>,
  decompress?: Decompress,
): Promise<ReadResult> {
  const options = decompress === undefined ? {} : { decompress };
  return await readOpened(() => TraceReader.open(stream(chunks), options));
}

/** The same of a trace that `open` opens. */
export async function readOpened(open: () => Promise<TraceReader>): Promise<ReadResult> {
  const items: PlainItem[] = [];
  const slots = new Map<number, TaskFacts>();
  let schema: TraceSchema | undefined;
  let totals: TraceTotals | undefined;
  let error: unknown;
  try {
    const reader = await open();
    schema = reader.schema;
    const sizes = new Map(schema.hooks.map(({ id, size }) => [id, size]));
    for await (const block of reader) {
      if (block.kind === "tasks") {
        for (const { slot, facts } of block.tasks) slots.set(slot, facts);
      } else if (block.kind === "loss") items.push({ kind: "loss", losses: block.losses });
      else if (block.kind === "end") totals = block.totals;
      else {
        for (let i = 0; i < block.count; i++) {
          const hook = block.hooks[i]!;
          const at = block.contextOffsets[i]!;
          items.push({
            kind: "event",
            time_ns: block.base_ns + BigInt(block.timeDeltas_ns[i]!),
            cpu: block.cpus[i]!,
            task: slots.get(block.slots[i]!)!,
            hook,
            context: block.contexts.slice(at, at + sizes.get(hook)!),
          });
        }
      }
    }
  } catch (caught) {
    error = caught;
  }
  return { schema, items, totals, slotsUsed: slots.size, error };
}

async function* stream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
