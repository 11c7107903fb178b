/**
 * Feeds recorded blocks to the simulated kernel: tasks into its table, contexts to its hooks, the
 * virtual clock set to each record's time.
 */
import { BpfError, ERRNO } from "#core/errors.ts";
import type { EventBlock } from "#core/trace/event_block.ts";
import { LIMITS } from "#core/trace/format.ts";
import type { TaskBlock } from "#core/trace/reader.ts";
import type { TraceSchema } from "#core/trace/schema.ts";
import type { WasmBackend } from "../backend.ts";
import { type ContextPlan, createContextPlan } from "./context_plan.ts";

/** Room for the contexts of one block in the simulated kernel's layout. */
const CONTEXT_BYTES_MAX = 4 * LIMITS.blockBytes;

interface Columns {
  readonly deltas: number;
  readonly cpus: number;
  readonly slots: number;
  readonly hooks: number;
  readonly contexts: number;
}

export class Replayer {
  readonly #backend: WasmBackend;
  readonly #plans: (ContextPlan | undefined)[] = [];
  readonly #hookIds = new Uint8Array(LIMITS.hooks);
  readonly #columns: Columns;
  readonly #translated: boolean;
  #records = 0;
  #first_ns: bigint | undefined;
  #last_ns = 0n;
  #closed = false;

  /** The backend must have as many CPUs as the trace, or more; it may close first. */
  constructor(backend: WasmBackend, schema: TraceSchema) {
    if (schema.cpus > backend.cpus) {
      throw new BpfError(
        "replay",
        `the trace has ${schema.cpus} CPUs, the simulated machine ${backend.cpus}`,
        { hint: `give it at least ${schema.cpus}` },
      );
    }
    this.#backend = backend;
    for (const hook of schema.hooks) {
      const plan = createContextPlan(backend.kernelBtf, hook);
      this.#plans[hook.id] = plan;
      this.#hookIds[hook.id] = backend.hooks.define(hook.hook, plan.size);
    }
    this.#translated = this.#plans.some((plan) => plan !== undefined && !plan.identical);
    const { instance } = backend;
    this.#columns = {
      deltas: instance.alloc(4 * LIMITS.blockRecords),
      cpus: instance.alloc(2 * LIMITS.blockRecords),
      slots: instance.alloc(2 * LIMITS.blockRecords),
      hooks: instance.alloc(LIMITS.blockRecords),
      contexts: instance.alloc(this.#translated ? CONTEXT_BYTES_MAX : LIMITS.blockBytes),
    };
  }

  /** Records run so far. */
  get records(): number {
    return this.#records;
  }

  /** Virtual time from the first record to the last, in seconds. */
  get span_s(): number {
    return this.#first_ns === undefined ? 0 : Number(this.#last_ns - this.#first_ns) / 1e9;
  }

  tasks(block: TaskBlock): void {
    this.#checkOpen();
    for (const { slot, facts } of block.tasks) this.#backend.tasks.define(slot, facts);
  }

  /**
   * Runs a block. `drain` is called after at most `recordsPerDrain` records, so that rings of a known
   * size never fill. Throws `ProgramFault` where a program fails; the rest of the block is left out.
   */
  events(block: EventBlock, recordsPerDrain: number, drain: () => void): void {
    this.#checkOpen();
    this.#copyColumns(block);
    this.#copyContexts(block);
    const { deltas, cpus, slots, hooks, contexts } = this.#columns;
    const { replay_begin } = this.#backend.instance.exports;
    const { count, baseLow, baseHigh } = block;
    replay_begin(count, baseLow, baseHigh, deltas, cpus, slots, hooks, contexts);
    try {
      this.#run(count, recordsPerDrain, drain);
    } finally {
      // What is left of a block that failed is no record for the scheduler to run later.
      replay_begin(0, 0, 0, 0, 0, 0, 0, 0);
    }
    this.#records += count;
    this.#first_ns ??= block.base_ns;
    this.#last_ns = block.base_ns + BigInt(block.timeDeltas_ns[count - 1]!);
  }

  #run(count: number, recordsPerDrain: number, drain: () => void): void {
    const { instance } = this.#backend;
    const { replay_run } = instance.exports;
    for (let done = 0; done < count; ) {
      const result = instance.guard(() => replay_run(recordsPerDrain));
      if (result < 0) throw new BpfError("replay", "a program did not run", { errno: -result });
      done = result;
      drain();
    }
  }

  /** Gives the room for blocks back. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const address of Object.values(this.#columns)) this.#backend.instance.free(address);
  }

  #checkOpen(): void {
    if (this.#closed) throw new BpfError("replay", "it is closed", { errno: ERRNO.EBADF });
  }

  #copyColumns(block: EventBlock): void {
    const { u8 } = this.#backend.instance;
    const { count } = block;
    const copy = (column: Uint32Array | Uint16Array, to: number): void => {
      const bytes = count * column.BYTES_PER_ELEMENT;
      u8.set(new Uint8Array(column.buffer, column.byteOffset, bytes), to);
    };
    copy(block.timeDeltas_ns, this.#columns.deltas);
    copy(block.cpus, this.#columns.cpus);
    copy(block.slots, this.#columns.slots);
    for (let i = 0; i < count; i++) u8[this.#columns.hooks + i] = this.#hookIds[block.hooks[i]!]!;
  }

  #copyContexts(block: EventBlock): void {
    const { u8 } = this.#backend.instance;
    const { contextOffsets, hooks, contexts, count } = block;
    if (!this.#translated) {
      const last = count - 1;
      const end = contextOffsets[last]! + this.#plans[hooks[last]!]!.size;
      u8.set(contexts.subarray(contextOffsets[0]!, end), this.#columns.contexts);
      return;
    }
    let to = this.#columns.contexts;
    const limit = to + CONTEXT_BYTES_MAX;
    for (let i = 0; i < count; i++) {
      const plan = this.#plans[hooks[i]!]!;
      if (to + plan.size > limit) {
        throw new BpfError("replay", "a block's contexts do not fit the simulated kernel's layout");
      }
      u8.fill(0, to, to + plan.size);
      plan.translate(contexts, contextOffsets[i]!, u8, to);
      to += plan.size;
    }
  }
}
