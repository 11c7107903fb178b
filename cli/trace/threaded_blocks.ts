/**
 * Blocks of a file that another thread reads, checks and decompresses, some ahead of what is asked for, so that a
 * replay need not wait for them.
 */

import type { FileHandle } from "node:fs/promises";
import { extname } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { TraceError, type TraceErrorReason } from "#core/trace/error.ts";
import { BLOCK_TYPE } from "#core/trace/format.ts";
import type { BlockSource, StoredBlock } from "#core/trace/stored_block.ts";
import { BlockSlots, createSlotMemory, SLOT } from "./block_slots.ts";
import type { BlockThreadData } from "./block_thread.ts";

/** The same file from the sources and from the build. */
const THREAD = new URL(`block_thread${extname(import.meta.url)}`, import.meta.url);

/** Time after which the event loop gets its turn, however many blocks are there: signals must not starve. */
const TURN_MS = 20;

export class ThreadedBlocks implements BlockSource {
  readonly #file: FileHandle;
  readonly #slots: BlockSlots;
  readonly #worker: Worker;
  /** Whether a slot is with whoever reads. */
  #lent = false;
  #offset = 0;
  /** The thread has read all that it will. */
  #ended = false;
  #turned_ms = performance.now();
  #problem: unknown = new Error("the thread that reads the trace ended");

  /** The file becomes this object's to close. Before the first `next`, `begin` says where to read. */
  constructor(file: FileHandle) {
    const memory = createSlotMemory();
    this.#file = file;
    this.#slots = new BlockSlots(memory);
    this.#worker = new Worker(THREAD, {
      name: "trace",
      workerData: { file: file.fd, memory } satisfies BlockThreadData,
    });
    this.#worker.unref();
    this.#worker.on("error", (error) => {
      this.#problem = error;
    });
    this.#worker.on("exit", () => this.#slots.abandon());
  }

  /** Whether the thread is up and waits for `begin`. */
  get ready(): boolean {
    return this.#slots.ready;
  }

  /** The thread reads on from byte `offset`, where the block of that number starts. */
  begin(offset: number, sequence: number): void {
    this.#offset = offset;
    this.#slots.begin(offset, sequence);
  }

  get offset(): number {
    return this.#offset;
  }

  async next(): Promise<StoredBlock | undefined> {
    if (this.#lent) this.#slots.free();
    this.#lent = false;
    if (!this.#slots.filled) await this.#wait();
    else if (performance.now() - this.#turned_ms > TURN_MS) await this.#turn();
    const slot = this.#slots.peek();
    if (slot.state === SLOT.gone) throw this.#problem;
    this.#offset = slot.offset;
    this.#ended = slot.state !== SLOT.block || slot.type === BLOCK_TYPE.trailer;
    if (slot.state === SLOT.failure) throw errorOf(slot.raw);
    if (slot.state === SLOT.end) return undefined;
    this.#lent = true;
    return slot;
  }

  async close(): Promise<void> {
    const terminated = this.#worker.terminate();
    // Else the thread may still read the file. A thread that has ended takes its time to go.
    if (!this.#ended) await terminated;
    await this.#file.close();
  }

  async #turn(): Promise<void> {
    await turn();
    this.#turned_ms = performance.now();
  }

  /** The process must not end meanwhile. */
  async #wait(): Promise<void> {
    this.#worker.ref();
    while (!this.#slots.filled) await this.#slots.wait();
    this.#worker.unref();
  }
}

function errorOf(json: Uint8Array): TraceError {
  const { reason, offset, problem } = JSON.parse(Buffer.from(json).toString()) as {
    reason: TraceErrorReason;
    offset: number;
    problem: string;
  };
  return new TraceError(reason, offset, problem);
}
