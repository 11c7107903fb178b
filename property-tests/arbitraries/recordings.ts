/** Random recordings of the hooks that the collectors attach to, as blocks in memory. */
import fc from "fast-check";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { TraceBlock } from "#core/trace/reader.ts";
import type { HookLayout, TraceSchema } from "#core/trace/schema.ts";
import { commBytes, taskFacts } from "#core/trace/task_facts.ts";
import { BlockBuilder } from "#wasm/world/block_builder.ts";

const HOOKS: readonly HookLayout[] = Object.values(LINUX_6_18_HOOKS);
export const RECORDING_CPUS = 4;
const TASKS = 4;

export interface RecordedHook {
  readonly step_ns: number;
  readonly cpu: number;
  readonly task: number;
  readonly hook: HookLayout;
  /** Small numbers, so that sockets, states and threads meet each other. */
  readonly values: readonly number[];
}

export const recordedHook: fc.Arbitrary<RecordedHook> = fc.record({
  step_ns: fc.oneof(fc.constant(0), fc.nat(1000), fc.nat(2 ** 31)),
  cpu: fc.nat(RECORDING_CPUS - 1),
  task: fc.nat(TASKS - 1),
  hook: fc.constantFrom(...HOOKS),
  values: fc.array(fc.oneof(fc.nat(12), fc.integer({ min: -40, max: 40 })), {
    minLength: 12,
    maxLength: 12,
  }),
});

export const RECORDING_SCHEMA: TraceSchema = {
  source: "property",
  kernel: "none",
  machine: "x86_64",
  cpus: RECORDING_CPUS,
  clock: "monotonic",
  taskFacts: ["pid", "tid", "comm"],
  hooks: [...HOOKS],
};

function writeField(view: DataView, at: number, size: number, value: number): void {
  if (size === 8) view.setBigInt64(at, BigInt(value), true);
  else if (size === 4) view.setInt32(at, value, true);
  else if (size === 2) view.setInt16(at, value, true);
  else view.setInt8(at, value);
}

/** TCP is what the collector reports; every other value of `protocol` is somebody else's socket. */
function fieldValue(name: string, value: number): number {
  if (name !== "protocol") return value;
  return value % 4 === 0 ? 17 : 6;
}

/** The blocks of a recording; event blocks hold at most `blockRecords` records. */
export function* recordingBlocks(
  records: readonly RecordedHook[],
  blockRecords: number,
): Generator<TraceBlock> {
  const tasks = Array.from({ length: TASKS }, (_, slot) => ({
    slot,
    facts: taskFacts({ pid: 100 + (slot >> 1), tid: 100 + slot, comm: commBytes(`task-${slot}`) }),
  }));
  yield { kind: "tasks", tasks };
  const builder = new BlockBuilder();
  let now_ns = 1;
  for (const { step_ns, cpu, task, hook, values } of records) {
    now_ns += step_ns;
    if (builder.count === blockRecords || !builder.fits(now_ns, hook.size)) {
      yield builder.block();
      builder.reset();
    }
    const offset = builder.add(now_ns, cpu, task, hook.id, hook.size);
    hook.fields.forEach((field, i) => {
      const value = fieldValue(field.name, values[i % values.length]!);
      writeField(builder.view, offset + field.offset, field.size, value);
    });
  }
  if (builder.count > 0) yield builder.block();
}

/** Events that the collectors must see in these records, by collector. */
export function eventsToSee(records: readonly RecordedHook[]): { tcp: number; syscall: number } {
  const count = { tcp: 0, syscall: 0 };
  for (const { hook, values } of records) {
    if (hook === LINUX_6_18_HOOKS.sys_exit) count.syscall++;
    if (hook === LINUX_6_18_HOOKS.tcp_retransmit_skb) count.tcp++;
    if (hook !== LINUX_6_18_HOOKS.inet_sock_set_state) continue;
    const index = hook.fields.findIndex(({ name }) => name === "protocol");
    if (fieldValue("protocol", values[index % values.length]!) === 6) count.tcp++;
  }
  return count;
}
