import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { traceCut } from "#cli/trace_cut.ts";
import { decompressBlock } from "#cli/zstd.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import { taskFacts } from "#core/trace/task_facts.ts";
import {
  type PlainEvent,
  type PlainItem,
  readPlain,
  schemaWith,
  writePlain,
} from "#property-tests/arbitraries/traces.ts";

let directory: string;
let input: string;
let output: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "trace-cut-"));
  input = join(directory, "in.trace");
  output = join(directory, "out.trace");
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const { sys_enter, sys_exit, inet_sock_set_state } = LINUX_6_18_HOOKS;
const HOOKS = [inet_sock_set_state, sys_enter, sys_exit];
const TASKS = [0, 1, 2].map((index) => taskFacts({ pid: index, tid: 10 + index }));

const event = (seconds: number, task: number, hook: number, filling = 0): PlainEvent => ({
  kind: "event",
  time_ns: 7_000_000_000n + BigInt(Math.round(seconds * 1e9)),
  cpu: 0,
  task: TASKS[task]!,
  hook,
  context: new Uint8Array(HOOKS.find(({ id }) => id === hook)!.size).fill(filling),
});
const loss = (records: number): PlainItem => ({
  kind: "loss",
  losses: [{ reason: "ring_full", records }],
});

function write(items: readonly PlainItem[]): void {
  const trace = { schema: schemaWith(HOOKS, 1), items, taskSlots: 2, blockRecords: 5 };
  writeFileSync(input, writePlain(trace).bytes);
}

async function readOutput(): Promise<PlainItem[]> {
  const read = await readPlain([readFileSync(output)], decompressBlock);
  expect(read.error).toBeUndefined();
  expect(readdirSync(directory).sort()).toEqual(["in.trace", "out.trace"]);
  return read.items;
}

describe("a cut", () => {
  it("keeps the events of the window, its start included and its end not", async () => {
    const items = [0, 1, 1.5, 2, 3].map((s) => event(s, 0, inet_sock_set_state.id));
    write(items);
    const summary = await traceCut({ input, output, from_s: 1, duration_s: 2 });
    expect(await readOutput()).toEqual(items.slice(1, 4));
    expect(summary).toMatchObject({ records: 3, halves: 0, tasks: 1, duration_s: 1 });
    expect(summary.recordsByHook).toEqual({
      "tracepoint/sock/inet_sock_set_state": 3,
      "tracepoint/raw_syscalls/sys_enter": 0,
      "tracepoint/raw_syscalls/sys_exit": 0,
    });
    expect(summary.bytes).toBe(statSync(output).size);
  });

  it("drops the half of a system call whose other half lies outside", async () => {
    const enter = (s: number, task: number) => event(s, task, sys_enter.id);
    const exit = (s: number, task: number) => event(s, task, sys_exit.id);
    const inside = [enter(1.1, 0), exit(1.2, 0), enter(1.3, 1), exit(1.4, 1)];
    write([
      enter(0, 0),
      enter(0.5, 1),
      exit(1, 0),
      ...inside.slice(0, 2),
      exit(1.25, 1),
      ...inside.slice(2),
      enter(1.5, 2),
      enter(1.6, 0),
      exit(2.1, 0),
      exit(2.2, 2),
    ]);
    const summary = await traceCut({ input, output, from_s: 1, duration_s: 1 });
    expect(await readOutput()).toEqual(inside);
    expect(summary.halves).toBe(4);
  });

  it("keeps the losses between its events", async () => {
    const events = [0, 1, 2, 3].map((s) => event(s, 0, inet_sock_set_state.id));
    write([events[0]!, loss(1), events[1]!, loss(2), events[2]!, loss(3), events[3]!]);
    await traceCut({ input, output, from_s: 1, duration_s: 2 });
    expect(await readOutput()).toEqual([events[1], loss(2), events[2]]);
  });

  it("of everything is everything", async () => {
    const item = fc.record({ task: fc.nat(2), filling: fc.nat(255), step_s: fc.nat(5) });
    await fc.assert(
      fc.asyncProperty(fc.array(item, { minLength: 1, maxLength: 40 }), async (seeds) => {
        let seconds = 0;
        const items = seeds.map(({ task, filling, step_s }) => {
          seconds += step_s;
          return event(seconds, task, inet_sock_set_state.id, filling);
        });
        write(items);
        await traceCut({ input, output });
        expect(await readOutput()).toEqual(items);
      }),
      { numRuns: 20 },
    );
  });

  it("may replace its input", async () => {
    const items = [0, 1].map((s) => event(s, 0, inet_sock_set_state.id));
    write(items);
    await traceCut({ input, output: input, duration_s: 1 });
    const { items: left } = await readPlain([readFileSync(input)], decompressBlock);
    expect(left).toEqual(items.slice(0, 1));
  });

  it("ends where the output would exceed its greatest size, and not much before", async () => {
    // Contexts that do not compress: 8 MB in all.
    let state = 1;
    const items = Array.from({ length: 100_000 }, (_, i) => {
      const context = new Uint8Array(inet_sock_set_state.size).map(() => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state >>> 24;
      });
      return { ...event(i / 1000, 0, inet_sock_set_state.id), context };
    });
    write(items);
    for (const maxBytes of [400_000, 2_000_000, 100_000_000]) {
      const summary = await traceCut({ input, output, maxBytes });
      expect(summary.bytes).toBeLessThanOrEqual(maxBytes);
      const left = await readOutput();
      expect(left).toEqual(items.slice(0, left.length));
      const block = 4096 * (inet_sock_set_state.size + 9);
      if (left.length < items.length) expect(summary.bytes).toBeGreaterThan(maxBytes - 1.1 * block);
    }
    const cutting = traceCut({ input, output, maxBytes: 100_000 });
    await expect(cutting).rejects.toThrow("the window's first block exceeds 100000 bytes");
  });
});

describe("a cut refuses", () => {
  it.each([
    [{ from_s: 100 }, "no events in the window"],
    [{ from_s: -1 }, "a window cannot start at -1 s"],
    [{ from_s: Number.NaN }, "a window cannot start at NaN s"],
    [{ duration_s: 0 }, "a window cannot be 0 s long"],
    [{ maxBytes: 1000 }, "at most 1000 bytes"],
  ])("%j: %s", async (options, message) => {
    write([event(0, 0, inet_sock_set_state.id)]);
    rmSync(output, { force: true });
    await expect(traceCut({ input, output, ...options })).rejects.toThrow(message);
    expect(readdirSync(directory)).toEqual(["in.trace"]);
  });

  it("a file that is no trace, and one that is not there", async () => {
    writeFileSync(input, "S\t1\n");
    await expect(traceCut({ input, output })).rejects.toThrow("this is not a trace");
    const missing = join(directory, "missing.trace");
    await expect(traceCut({ input: missing, output })).rejects.toThrow(/ENOENT/);
  });
});
