/** Blocks of records through hooks, under a scheduler that preempts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { RingReader } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import type { EventBlock } from "#core/trace/event_block.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { HookLayout, TraceSchema } from "#core/trace/schema.ts";
import { taskFacts } from "#core/trace/task_facts.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { BlockBuilder } from "#wasm/world/block_builder.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { compileBpf } from "../../support/clang.ts";
import { thrown } from "../../support/thrown.ts";

const CPUS = 8;
const HOOK: HookLayout = LINUX_6_18_HOOKS.sys_enter;
/** Number of the system call that the program dies of. */
const FATAL = 999;

const object = compileBpf(`#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct record { unsigned long long time, cpu, number; };
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");
SEC("tp/raw_syscalls/sys_enter") int enter(unsigned long long *context)
{
	struct record record = {};
	record.number = context[1];
	if (record.number == ${FATAL})
		for (;;)
			asm volatile("" ::: "memory");
	record.time = bpf_ktime_get_ns();
	record.cpu = bpf_get_smp_processor_id();
	bpf_ringbuf_output(&ring, &record, sizeof(record), 0);
	return 0;
}
`);
const runtime = await loadRuntimeModule();
const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");

const SCHEMA: TraceSchema = {
  source: "test",
  kernel: "none",
  machine: "x86_64",
  cpus: CPUS,
  clock: "monotonic",
  taskFacts: ["pid"],
  hooks: [HOOK],
};

let backend: WasmBackend;
let ring: RingReader;
let replayer: Replayer;

async function start(preemptionInterval: number): Promise<void> {
  backend = await createWasmBackend({
    runtime,
    kernelTypes,
    cpus: CPUS,
    memoryBytes: 32 << 20,
    preemptionInterval,
  });
  const opened = backend.open(object);
  opened.load();
  opened.programs.get("enter")!.attach();
  ring = opened.maps.get("ring")!.ring();
  replayer = new Replayer(backend, SCHEMA);
  replayer.tasks({ kind: "tasks", tasks: [{ slot: 0, facts: taskFacts({ pid: 7 }) }] });
}
beforeEach(() => start(0));
afterEach(() => backend.close());

/** One system call after the other, on the CPUs in turn. */
function block(numbers: readonly number[]): EventBlock {
  const builder = new BlockBuilder();
  const id = HOOK.fields.find(({ name }) => name === "id")!.offset;
  numbers.forEach((number, i) => {
    const offset = builder.add(5000 + 10 * i, i % CPUS, 0, HOOK.id, HOOK.size);
    builder.view.setBigInt64(offset + id, BigInt(number), true);
  });
  return builder.block();
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** What is in the ring: [time, cpu, number] of each record. */
function records(): number[][] {
  const found: number[][] = [];
  ring.consume(({ view, offsets, count }) => {
    for (let i = 0; i < count; i++) {
      found.push([0, 8, 16].map((at) => Number(view.getBigUint64(offsets[i]! + at, true))));
    }
  });
  return found;
}

it("runs every record once, in order, with its time, CPU and context", () => {
  replayer.events(block(upTo(20)), 1000, () => {});
  expect(records()).toEqual(upTo(20).map((i) => [5000 + 10 * i, i % CPUS, i]));
  expect(replayer.records).toBe(20);
  expect(replayer.span_s).toBeCloseTo(190e-9, 12);
});

it.each([
  [1, 0],
  [3, 0],
  [3, 1],
  [7, 1],
  [1, 1],
])("drains after at most %i records, with preemption at every %i. helper", async (most, every) => {
  backend.close();
  await start(every);
  const seen: number[] = [];
  replayer.events(block(upTo(100)), most, () => {
    const numbers = records().map(([, , number]) => number!);
    expect(numbers.length).toBeLessThanOrEqual(most);
    seen.push(...numbers);
  });
  expect(seen.sort((left, right) => left - right)).toEqual(upTo(100));
});

describe("after a program that failed", () => {
  it.each([0, 1])(
    "the next block runs, and nothing of the last one (preemption %i)",
    async (every) => {
      backend.close();
      await start(every);
      backend.instance.setBudget(10_000);
      expect(() => replayer.events(block([1, FATAL, 2, 3, 4]), 1000, () => {})).toThrow(/budget/);
      const before = records().map(([, , number]) => number);
      expect(before).not.toContain(3);
      // A run of its own, which the scheduler may preempt, meets no record of the block that failed.
      const program = backend.instance;
      expect(program.exports.replay_preempt()).toBe(0);
      expect(records()).toEqual([]);
      replayer.events(block([8, 9]), 1000, () => {});
      expect(
        records()
          .map(([, , number]) => number)
          .sort(),
      ).toEqual([8, 9]);
    },
  );
});

it("a trace of more CPUs than the machine has is refused", () => {
  const error = thrown(() => new Replayer(backend, { ...SCHEMA, cpus: CPUS + 1 }));
  expect(error.message).toMatch(/9 CPUs, the simulated machine 8.*at least 9/);
});

it("a hook whose context the simulated kernel does not know is refused by name", () => {
  const hooks = [{ ...HOOK, hook: "tracepoint/no/such", struct: "trace_event_raw_no_such" }];
  const error = thrown(() => new Replayer(backend, { ...SCHEMA, hooks }));
  expect(error.message).toMatch(/no struct trace_event_raw_no_such/);
});

it("a recording with another layout reaches the program in the simulated kernel's", () => {
  const fields = HOOK.fields.map((field) => ({ ...field, offset: field.offset + 8 }));
  const moved = { ...HOOK, size: HOOK.size + 8, fields };
  const other = new Replayer(backend, { ...SCHEMA, hooks: [moved] });
  const builder = new BlockBuilder();
  const id = HOOK.fields.find(({ name }) => name === "id")!.offset + 8;
  for (const number of [41, 42]) {
    const offset = builder.add(9000, 1, 0, HOOK.id, moved.size);
    builder.view.setBigInt64(offset + id, BigInt(number), true);
  }
  other.events(builder.block(), 10, () => {});
  expect(records()).toEqual([
    [9000, 1, 41],
    [9000, 1, 42],
  ]);
});

it("closing twice is harmless; use after that is EBADF", () => {
  replayer.close();
  replayer.close();
  const uses = [
    () => replayer.events(block([1]), 1, () => {}),
    () => replayer.tasks({ kind: "tasks", tasks: [] }),
  ];
  for (const use of uses) expect(thrown(use)).toMatchObject({ errno: ERRNO.EBADF });
});
