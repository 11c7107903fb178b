/**
 * Blocks of a file that another thread reads, checks and decompresses, some ahead of what is asked for, so that a
 * replay need not wait for them.
 */

import type { FileHandle } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { BpfError, ERRNO } from "#core/errors.ts";
import { TraceError, type TraceErrorReason } from "#core/trace/error.ts";
import type { BlockSource, StoredBlock } from "#core/trace/stored_block.ts";
import { type BlockSlots, SLOT } from "./block_slots.ts";
import { type ReadingThread, takeReadingThread } from "./reading_thread.ts";

/** Time after which the event loop gets its turn, however many blocks are there: signals must not starve. */
const TURN_MS = 20;

export class ThreadedBlocks implements BlockSource {
  readonly #file: FileHandle;
  readonly #thread: ReadingThread;
  readonly #slots: BlockSlots;
  /** Whether a slot is with whoever reads. */
  #lent = false;
  #offset = 0;
  #turned_ms = performance.now();
  /** From when it is closed on: the thread is another trace's. */
  #closing: Promise<void> | undefined;

  /** The file becomes this object's to close. Before the first `next`, `begin` says where to read. */
  constructor(file: FileHandle) {
    this.#file = file;
    this.#thread = takeReadingThread();
    this.#slots = this.#thread.slots;
  }

  /** Whether the thread is up and waits for `begin`. */
  get ready(): boolean {
    return this.#closing === undefined && this.#slots.reading.ready;
  }

  /** The thread reads on from byte `offset`, where the block of that number starts. */
  begin(offset: number, sequence: number): void {
    this.#offset = offset;
    this.#slots.reading.begin({ file: this.#file.fd, offset, sequence });
  }

  get offset(): number {
    return this.#offset;
  }

  async next(): Promise<StoredBlock | undefined> {
    this.#assertOpen();
    if (this.#lent) this.#slots.free();
    this.#lent = false;
    if (!this.#slots.filled) await this.#wait();
    else if (performance.now() - this.#turned_ms > TURN_MS) await this.#turn();
    this.#assertOpen();
    const slot = this.#slots.peek();
    if (slot.state === SLOT.gone) throw this.#thread.problem;
    this.#offset = slot.offset;
    if (slot.state === SLOT.failure) throw errorOf(slot.raw);
    if (slot.state === SLOT.end) return undefined;
    this.#lent = true;
    return slot;
  }

  /** A `next` that waits throws then. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#thread.rest();
    } finally {
      await this.#file.close();
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) {
      throw new BpfError("read trace", "it is closed", { errno: ERRNO.EBADF });
    }
  }

  async #turn(): Promise<void> {
    await turn();
    this.#turned_ms = performance.now();
  }

  async #wait(): Promise<void> {
    await this.#thread.keepAlive(async () => {
      while (this.#closing === undefined && !this.#slots.filled) await this.#slots.wait();
    });
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
