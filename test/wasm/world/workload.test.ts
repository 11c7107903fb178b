import { expect, it } from "vitest";
import type { TraceBlock } from "#core/trace/reader.ts";
import { createWorkload, WORKLOADS } from "#wasm/world/workload.ts";
import { thrown } from "../../support/thrown.ts";

interface Generated {
  readonly lines: string[];
  readonly tasks: Set<number>;
  readonly cpus: Set<number>;
  readonly slots: Set<number>;
  readonly times_ns: bigint[];
}

async function generate(seed: number, cpus = 2, duration_s = 0.2): Promise<Generated> {
  const result: Generated = {
    lines: [],
    tasks: new Set(),
    cpus: new Set(),
    slots: new Set(),
    times_ns: [],
  };
  const workload = createWorkload("default", { seed, cpus, duration_s });
  const sizes = new Map(workload.schema.hooks.map(({ id, size }) => [id, size]));
  for await (const block of workload.blocks as AsyncIterable<TraceBlock>) {
    if (block.kind === "tasks") for (const { slot } of block.tasks) result.tasks.add(slot);
    if (block.kind !== "events") continue;
    for (let i = 0; i < block.count; i++) {
      const [cpu, slot, hook] = [block.cpus[i]!, block.slots[i]!, block.hooks[i]!];
      const at = block.contextOffsets[i]!;
      const context = Buffer.from(block.contexts.subarray(at, at + sizes.get(hook)!));
      const time_ns = block.base_ns + BigInt(block.timeDeltas_ns[i]!);
      result.times_ns.push(time_ns);
      result.cpus.add(cpu);
      result.slots.add(slot);
      result.lines.push(`${time_ns} ${cpu} ${slot} ${hook} ${context.toString("hex")}`);
    }
  }
  return result;
}

it("the same seed gives the same records to the byte, another seed others", async () => {
  const [first, second, other] = [await generate(1), await generate(1), await generate(2)];
  expect(first.lines.length).toBeGreaterThan(1000);
  expect(second.lines).toEqual(first.lines);
  expect(other.lines).not.toEqual(first.lines);
});

it("records come in time order within the duration, on the CPUs and tasks there are", async () => {
  const { times_ns, cpus, slots, tasks } = await generate(3, 4);
  times_ns.forEach((time_ns, i) => {
    if (i > 0 && time_ns < times_ns[i - 1]!) throw new Error(`record ${i} is out of order`);
  });
  expect(times_ns.at(-1)! - times_ns[0]!).toBeLessThanOrEqual(200_000_000n);
  expect([...cpus].sort()).toEqual([0, 1, 2, 3]);
  for (const slot of slots) expect(tasks).toContain(slot);
});

it("an unknown name is refused with the names there are", () => {
  for (const name of ["nope", "constructor", "__proto__"]) {
    const error = thrown(() => createWorkload(name, { seed: 1, cpus: 1, duration_s: 1 }));
    expect(error.message).toContain(WORKLOADS.join(", "));
  }
});
