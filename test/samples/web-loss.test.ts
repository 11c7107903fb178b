import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openTrace } from "#cli/trace_file.ts";
import type { EventBlock } from "#core/trace/event_block.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";

const SAMPLES = fileURLToPath(new URL("../../samples/", import.meta.url));
const { inet_sock_set_state, sys_enter, sys_exit } = LINUX_6_18_HOOKS;

/** Counts what the README counts. */
class Census {
  readonly counts = new Map<string, number>();
  readonly #tids: number[] = [];
  readonly #enters = new Map<number, bigint>();

  count(name: string, amount = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + amount);
  }

  define(slot: number, tid: number): void {
    this.#tids[slot] = tid;
  }

  block(block: EventBlock): void {
    const view = new DataView(block.contexts.buffer, block.contexts.byteOffset);
    for (let i = 0; i < block.count; i++) {
      const at = block.contextOffsets[i]!;
      const tid = this.#tids[block.slots[i]!]!;
      const time_ns = block.base_ns + BigInt(block.timeDeltas_ns[i]!);
      expect(view.getInt32(at + 4, true) === tid).toBe(true);
      if (block.hooks[i] === sys_enter.id) this.#enter(tid, time_ns);
      if (block.hooks[i] === sys_exit.id) this.#exit(tid, time_ns, view.getBigInt64(at + 16, true));
      if (block.hooks[i] !== inet_sock_set_state.id) continue;
      this.count(`${view.getInt32(at + 16, true)}>${view.getInt32(at + 20, true)}`);
    }
  }

  get openCalls(): number {
    return this.#enters.size;
  }

  #enter(tid: number, time_ns: bigint): void {
    if (this.#enters.has(tid)) throw new Error(`thread ${tid} enters twice`);
    this.#enters.set(tid, time_ns);
  }

  #exit(tid: number, time_ns: bigint, ret: bigint): void {
    const latency_ns = time_ns - this.#enters.get(tid)!;
    this.#enters.delete(tid);
    if (ret < 0n) this.count("system calls that fail");
    if (latency_ns >= 1_000_000n) this.count("system calls of 1 ms and more");
    if (latency_ns >= 100_000_000n) this.count("system calls of 100 ms and more");
  }
}

it("the sample holds whole system calls and exactly what its README counts", async () => {
  const reader = await openTrace(`${SAMPLES}web-loss.trace`);
  const census = new Census();
  for await (const block of reader) {
    if (block.kind === "tasks")
      for (const { slot, facts } of block.tasks) census.define(slot, facts.tid);
    if (block.kind === "events") census.block(block);
    if (block.kind !== "end") continue;
    const { totals } = block;
    census.count("tasks", totals.tasks);
    reader.schema.hooks.forEach(({ hook }, index) => {
      census.count(hook, totals.recordsByHook[index]!);
    });
  }
  expect(census.openCalls).toBe(0);
  const rows = readFileSync(`${SAMPLES}README.md`, "utf8").matchAll(
    /^\| `?([^|`]+)`? \| (\d+) \|/gm,
  );
  const documented = [...rows].map(([, name, count]) => [name!, Number(count)] as const);
  expect(documented.length).toBeGreaterThan(0);
  expect(Object.fromEntries(census.counts)).toEqual(Object.fromEntries(documented));
});
