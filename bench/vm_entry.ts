/** How long it takes to get into a program of the simulated machine and out again. */
import type { Engine } from "#wasm/engines/engine.ts";
import { median } from "./bench.ts";
import { createInstance, load, measureRounds } from "./vm_machine.ts";

const ENTRIES = 1_000_000;
const EMPTY = "mov %r0, 1\nexit";
const CONTEXT_BYTES = 8;
const HOOK = 0;
const RECORDS = 4096;

/** Nanoseconds of a run of an empty program from JavaScript, one at a time. */
export async function measureEntry(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const { handle } = load(engine, instance, EMPTY);
  const context = instance.createContext(CONTEXT_BYTES, false);
  const rounds_ns = await measureRounds(rounds, () => {
    for (let i = 0; i < ENTRIES; i++) instance.run(handle, context);
  });
  return median(rounds_ns) / ENTRIES;
}

/** Nanoseconds of a record whose hook has an empty program: a block of them is one call. */
export async function measureBatchedEntry(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const { exports, u8 } = instance;
  const { handle } = load(engine, instance, EMPTY);
  exports.hook_define(HOOK, CONTEXT_BYTES);
  exports.hook_attach(HOOK, handle);
  exports.rt_task_address(exports.task_first_slot());
  const deltas = instance.alloc(4 * RECORDS);
  // CPUs, tasks and hooks: the first of each.
  const zeroes = instance.alloc(2 * RECORDS);
  const contexts = instance.alloc(CONTEXT_BYTES * RECORDS);
  u8.fill(0, zeroes, zeroes + 2 * RECORDS);
  const blocks = Math.ceil(ENTRIES / RECORDS);
  const rounds_ns = await measureRounds(rounds, () => {
    for (let i = 0; i < blocks; i++) {
      exports.replay_begin(RECORDS, 0, 0, deltas, zeroes, zeroes, zeroes, contexts);
      exports.replay_run(RECORDS);
    }
  });
  const runs = exports.program_run_count(handle);
  if (runs % (blocks * RECORDS) !== 0) throw new Error(`${runs} runs`);
  return median(rounds_ns) / (blocks * RECORDS);
}
