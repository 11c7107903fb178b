import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { traceImport } from "#cli/trace_import.ts";
import { decompressBlock } from "#cli/zstd.ts";
import { commText } from "#core/trace/task_facts.ts";
import { type PlainEvent, readPlain } from "./arbitraries/traces.ts";
import { checkAsyncProperty } from "./property.ts";

const directory = mkdtempSync(join(tmpdir(), "trace-import-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

interface Line {
  readonly kind: "S" | "R" | "Y";
  readonly ts_ns: bigint;
  readonly cpu: number;
  readonly pid: number;
  readonly tid: number;
  readonly comm: string;
  readonly cgroup_id: bigint;
  /** S and R: the socket. Y: the system call's number. */
  readonly id: bigint;
  readonly ret: bigint;
  readonly latency_ns: bigint;
}

/** Few threads and a short time, so that calls overlap, collide and touch all the time. */
const line: fc.Arbitrary<Line> = fc
  .record({
    kind: fc.constantFrom("S", "R", "Y", "Y", "Y", "Y"),
    ts_ns: fc.oneof(
      fc.bigInt({ min: 1000n, max: 1060n }),
      fc.constantFrom(2n ** 32n - 1n, 2n ** 32n, 2n ** 32n + 20n, 2n ** 64n - 1n),
    ),
    cpu: fc.nat(3),
    pid: fc.nat(4_194_303),
    tid: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constantFrom(0, 4_194_303)),
    comm: fc.constantFrom("nginx", "redis-server", "fifteen bytes!!", "", " ", "ä", "\\"),
    cgroup_id: fc.oneof(fc.constant(1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    id: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    ret: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    latency_ns: fc.oneof(
      fc.bigInt({ min: 0n, max: 30n }),
      fc.constantFrom(2n ** 32n - 5n, 2n ** 32n, 2n ** 63n),
    ),
  })
  .map((line) => ({
    ...line,
    latency_ns: line.latency_ns > line.ts_ns ? line.ts_ns : line.latency_ns,
  }));

function textOf(line: Line): string {
  const { kind, ts_ns, cpu, pid, tid, comm, cgroup_id, id, ret, latency_ns } = line;
  const common = [kind, ts_ns, cpu, pid, tid, comm, cgroup_id];
  const own = {
    S: [id.toString(16), 1, 4, 40000, 80, 2, "10.0.0.1", "10.0.0.2"],
    R: [id.toString(16), 1, 40000, 80, 10, "fe80::1", "fe80::2"],
    Y: [id, ret, latency_ns],
  }[kind];
  return [...common, ...own].join("\t");
}

/** What an event is known by. */
interface Seen {
  readonly time_ns: bigint;
  readonly hook: string;
  readonly task: string;
  readonly cpu: number;
  readonly id: bigint;
  readonly ret: bigint;
}

/**
 * What the import should yield: all of it in memory, one sort for calls and one for events, no runs
 * and no halves of numbers.
 */
function model(lines: readonly Line[]): { events: Seen[]; adjusted: number } {
  const inOrder = lines.toSorted((a, b) => Number(a.ts_ns - b.ts_ns));
  const previousExit = new Map<number, bigint>();
  const events: Seen[] = [];
  let adjusted = 0;
  for (const { kind, ts_ns, cpu, pid, tid, comm, cgroup_id, id, ret, latency_ns } of inOrder) {
    const common = { task: `${pid} ${tid} ${cgroup_id} ${comm}`, cpu, id };
    if (kind === "S")
      events.push({ ...common, time_ns: ts_ns, hook: "inet_sock_set_state", ret: 0n });
    if (kind === "R")
      events.push({ ...common, time_ns: ts_ns, hook: "tcp_retransmit_skb", ret: 0n });
    if (kind !== "Y") continue;
    let enter_ns = ts_ns - latency_ns;
    const floor_ns = previousExit.get(tid) ?? 0n;
    if (enter_ns < floor_ns) {
      enter_ns = floor_ns;
      adjusted++;
    }
    previousExit.set(tid, ts_ns);
    events.push({ ...common, time_ns: enter_ns, hook: "sys_enter", ret: 0n });
    events.push({ ...common, time_ns: ts_ns, hook: "sys_exit", ret });
  }
  return { events: events.sort((a, b) => Number(a.time_ns - b.time_ns)), adjusted };
}

const HOOKS = ["inet_sock_set_state", "tcp_retransmit_skb", "sys_enter", "sys_exit"];

function seen({ time_ns, hook, task, cpu, context }: PlainEvent): Seen {
  const view = new DataView(context.buffer, context.byteOffset, context.length);
  return {
    time_ns,
    hook: HOOKS[hook]!,
    task: `${task.pid} ${task.tid} ${task.cgroup_id} ${commText(task.comm)}`,
    cpu,
    id: view.getBigInt64(hook === 1 ? 16 : 8, true),
    ret: hook === 3 ? view.getBigInt64(16, true) : 0n,
  };
}

it("an import yields what sorting in memory yields, with runs and merges of any size", async () => {
  await checkAsyncProperty(
    "trace import equals a sort in memory",
    fc.asyncProperty(
      fc.array(line, { maxLength: 60 }),
      fc.integer({ min: 20, max: 400 }),
      fc.integer({ min: 2, max: 4 }),
      fc.boolean(),
      async (lines, runWords, fanIn, compress) => {
        const text = Buffer.from(lines.map((line) => `${textOf(line)}\n`).join(""));
        const input = join(directory, "in.tsv");
        const output = join(directory, "out.trace");
        writeFileSync(input, compress ? zstdCompressSync(text) : text);
        const runBytes = 8 * runWords;
        const summary = await traceImport({ input, output, log: () => {}, runBytes, fanIn });
        const read = await readPlain([readFileSync(output)], decompressBlock);
        const { events, adjusted } = model(lines);
        expect(read.error).toBeUndefined();
        expect((read.items as PlainEvent[]).map(seen)).toEqual(events);
        expect(summary.records).toBe(events.length);
        expect(summary.adjusted).toBe(adjusted);
        expect(readdirSync(directory).sort()).toEqual(["in.tsv", "out.trace"]);
      },
    ),
  );
});

it("in an imported trace every thread leaves a system call before it enters the next", async () => {
  await checkAsyncProperty(
    "trace import keeps calls of a thread apart",
    fc.asyncProperty(fc.array(line, { maxLength: 60 }), async (lines) => {
      const input = join(directory, "in.tsv");
      const output = join(directory, "out.trace");
      writeFileSync(input, lines.map((line) => `${textOf(line)}\n`).join(""));
      await traceImport({ input, output, log: () => {}, runBytes: 512 });
      const { items } = await readPlain([readFileSync(output)], decompressBlock);
      const inCall = new Map<number, bigint>();
      for (const event of items as PlainEvent[]) {
        const { hook, id } = seen(event);
        const { tid } = event.task;
        if (hook === "sys_enter") {
          expect(inCall.has(tid)).toBe(false);
          inCall.set(tid, id);
        } else if (hook === "sys_exit") {
          expect(inCall.get(tid)).toBe(id);
          inCall.delete(tid);
        }
      }
      expect(inCall.size).toBe(0);
    }),
  );
});
