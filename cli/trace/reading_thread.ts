/**
 * The thread that reads a trace ahead. It takes longer to start than to read some dozen blocks, so one that has done
 * with its file rests for a while, for the next.
 */

import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { BlockSlots, createSlotMemory } from "./block_slots.ts";

/** The same file from the sources and from the build. */
const CODE = new URL(`block_thread${extname(import.meta.url)}`, import.meta.url);

/** A process that reads one trace after the other does so within it; another one gets its memory back. */
const REST_MS = 10_000;

let resting: ReadingThread | undefined;

/** The thread that rests, or a new one; the caller's to `rest`. */
export function takeReadingThread(): ReadingThread {
  const thread = resting ?? new ReadingThread();
  resting = undefined;
  thread.wake();
  return thread;
}

/** Ends the thread that rests, if there is one. */
export async function endRestingThread(): Promise<void> {
  await resting?.end();
}

export class ReadingThread {
  readonly slots: BlockSlots;
  readonly #worker: Worker;
  #problem: unknown = new Error("the thread that reads the trace ended");
  #end: NodeJS.Timeout | undefined;
  /** How many wait for what the thread brings. */
  #awaited = 0;

  constructor() {
    const memory = createSlotMemory();
    this.slots = new BlockSlots(memory);
    this.#worker = new Worker(CODE, { name: "trace", workerData: memory });
    this.#worker.unref();
    this.#worker.on("error", (error) => {
      this.#problem = error;
    });
    this.#worker.on("exit", () => {
      this.slots.abandon();
      this.#leave();
    });
  }

  /** Why it is gone. */
  get problem(): unknown {
    return this.#problem;
  }

  /** Awaits what only the thread can bring; the process must not end meanwhile. */
  async keepAlive<T>(awaited: () => Promise<T>): Promise<T> {
    if (this.#awaited++ === 0) this.#worker.ref();
    try {
      return await awaited();
    } finally {
      if (--this.#awaited === 0) this.#worker.unref();
    }
  }

  /** Rests no longer. */
  wake(): void {
    clearTimeout(this.#end);
  }

  /** The thread reads no more of its file when this resolves, and is free for another one. */
  async rest(): Promise<void> {
    await this.keepAlive(() => this.slots.stop());
    if (this.slots.reading.gone) return;
    if (resting !== undefined) return await this.end();
    this.slots.clear();
    resting = this;
    this.#end = setTimeout(() => resting === this && this.end(), REST_MS).unref();
  }

  async end(): Promise<void> {
    this.#leave();
    await this.#worker.terminate();
  }

  #leave(): void {
    clearTimeout(this.#end);
    if (resting === this) resting = undefined;
  }
}
