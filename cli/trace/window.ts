/** The events of a trace that lie in a span of time, and copying them to another trace. */

import type { EventBlock } from "#core/trace/event_block.ts";
import type { TraceReader } from "#core/trace/reader.ts";
import type { TaskDefinition, TaskFacts } from "#core/trace/task_facts.ts";
import type { TraceTask } from "#core/trace/task_slots.ts";
import type { TraceWriter } from "#core/trace/writer.ts";

/** Times in ns on the trace's clock; `end_ns` is outside. */
export interface Window {
  readonly start_ns: bigint;
  readonly end_ns: bigint;
}

/** What `visitWindow` calls; `index` is an event's place in its block, `ordinal` in the window. */
export interface WindowVisitor {
  tasks?(tasks: readonly TaskDefinition[]): void;
  event(block: EventBlock, index: number, ordinal: number): void;
  /** Losses between two events of the window. */
  loss?(losses: Parameters<TraceWriter["loss"]>[0]): void;
}

/** Visits the events of the window, and all task definitions up to its end. Closes the reader. */
export async function visitWindow(
  reader: TraceReader,
  window: Window,
  visitor: WindowVisitor,
): Promise<void> {
  let ordinal = 0;
  let losses: Parameters<TraceWriter["loss"]>[0][] = [];
  for await (const block of reader) {
    if (block.kind === "tasks") visitor.tasks?.(block.tasks);
    // Losses after the window's last event are not the window's, so they wait for another one.
    if (block.kind === "loss" && ordinal > 0) losses.push(block.losses);
    if (block.kind !== "events") continue;
    const start = block.base_ns;
    for (let i = 0; i < block.count; i++) {
      const time_ns = start + BigInt(block.timeDeltas_ns[i]!);
      if (time_ns < window.start_ns) continue;
      if (time_ns >= window.end_ns) return;
      for (const loss of losses) visitor.loss?.(loss);
      losses = [];
      visitor.event(block, i, ordinal++);
    }
  }
}

/** Copies events from a reader's blocks to a writer of the same schema. */
export class EventCopier {
  readonly #writer: TraceWriter;
  /** By slot of the reader. */
  readonly #tasks: TraceTask[] = [];

  constructor(writer: TraceWriter) {
    this.#writer = writer;
  }

  define(tasks: readonly TaskDefinition[]): void {
    for (const { slot, facts } of tasks) this.#tasks[slot] = this.#writer.task(facts);
  }

  append(block: EventBlock, index: number): void {
    const low = block.baseLow + block.timeDeltas_ns[index]!;
    const carry = low > 0xffffffff ? 1 : 0;
    this.#writer.append(
      block.baseHigh + carry,
      low >>> 0,
      block.cpus[index]!,
      this.#tasks[block.slots[index]!]!,
      block.hooks[index]!,
      block.contexts,
      block.contextOffsets[index]!,
    );
  }
}

/**
 * Finds the system calls that a window cuts in two: a thread's first event being an exit, or its
 * last an enter. Memory is that of the threads; calls cut by losses within the window stay.
 */
export class HalfCalls implements WindowVisitor {
  readonly #enterHook: number;
  readonly #exitHook: number;
  readonly #tids = new Map<number, number>();
  /** Ordinal of the enter that a thread has not come back from; -1 after an exit. */
  readonly #open = new Map<number, number>();
  readonly #exits = new Set<number>();

  constructor(enterHook: number, exitHook: number) {
    this.#enterHook = enterHook;
    this.#exitHook = exitHook;
  }

  tasks(tasks: readonly { readonly slot: number; readonly facts: TaskFacts }[]): void {
    for (const { slot, facts } of tasks) this.#tids.set(slot, facts.tid);
  }

  event(block: EventBlock, index: number, ordinal: number): void {
    const hook = block.hooks[index]!;
    if (hook !== this.#enterHook && hook !== this.#exitHook) return;
    const tid = this.#tids.get(block.slots[index]!)!;
    if (hook === this.#enterHook) this.#open.set(tid, ordinal);
    else {
      if (!this.#open.has(tid)) this.#exits.add(ordinal);
      this.#open.set(tid, -1);
    }
  }

  /** Ordinals of all halves; call after the visit. */
  ordinals(): ReadonlySet<number> {
    const enters = [...this.#open.values()].filter((ordinal) => ordinal >= 0);
    return new Set([...this.#exits, ...enters]);
  }
}
