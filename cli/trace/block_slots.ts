/**
 * Blocks between two threads, in memory that both see: one fills slots in turns, the other empties them in the same
 * order. Each waits only for a slot that the other has not done with.
 */

import { LIMITS } from "#core/trace/format.ts";
import type { StoredBlock } from "#core/trace/stored_block.ts";
import { ReadingState } from "./reading_state.ts";

const SLOTS = 16;
/**
 * Whoever fills looks that often whether a slot has become free, and is woken where the other one has nothing left: to
 * wake a thread costs as much as to fill several slots, and more on a virtual machine.
 */
const LOOK_MS = 4;
/** Words of a slot. */
const WORD = { state: 0, type: 1, records: 2, rawLength: 3, offset: 4, count: 6 } as const;
const READING_START = 4 * WORD.count * SLOTS;
const RAW_START = 1024;

/** What a slot holds. `end` and `failure` are the last that come. */
export const SLOT = {
  free: 0,
  block: 1,
  /** The file ended. */
  end: 2,
  /** A `TraceError` as JSON. */
  failure: 3,
  /** The thread that fills is gone. */
  gone: 4,
} as const;

export function createSlotMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(RAW_START + SLOTS * LIMITS.blockBytes);
}

export class BlockSlots {
  readonly #memory: SharedArrayBuffer;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #view: DataView;
  /** What the filling side is to read. */
  readonly reading: ReadingState;
  #turn = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#words = new Int32Array(memory, 0, RAW_START / 4);
    this.#view = new DataView(memory, 0, RAW_START);
    this.reading = new ReadingState(memory, READING_START);
  }

  /** Empties all slots, for another file. For the one that empties, while the other one reads nothing. */
  clear(): void {
    for (let slot = 0; slot < SLOTS; slot++)
      this.#words[WORD.count * slot + WORD.state] = SLOT.free;
    this.restart();
  }

  /** The first slot's turn has come; for the thread, at the start of a file. */
  restart(): void {
    this.#turn = 0;
  }

  get #first(): number {
    return WORD.count * (this.#turn % SLOTS);
  }

  /**
   * Fills the slot whose turn it is, and gives it away. Sleeps while there is none; for threads that may. False, and
   * nothing is filled, where the reading is to stop.
   */
  fill(state: number, { type, records, offset, raw }: StoredBlock): boolean {
    if (this.filled) this.#sleep();
    if (this.reading.stopping) return false;
    const first = this.#first;
    this.#words[first + WORD.type] = type;
    this.#words[first + WORD.records] = records;
    this.#words[first + WORD.rawLength] = raw.length;
    this.#view.setFloat64(4 * (first + WORD.offset), offset, true);
    this.#rawOf(raw.length).set(raw);
    this.#set(first, state);
    this.#turn++;
    return true;
  }

  /** Whether what is next is here. */
  get filled(): boolean {
    return Atomics.load(this.#words, this.#first + WORD.state) !== SLOT.free;
  }

  /** Resolves when what is next may be here. */
  async wait(): Promise<void> {
    this.#wake();
    const waiting = Atomics.waitAsync(this.#words, this.#first + WORD.state, SLOT.free);
    if (waiting.async) await waiting.value;
  }

  /** What is next, in place: valid until `free`. */
  peek(): StoredBlock & { readonly state: number } {
    const first = this.#first;
    const state = Atomics.load(this.#words, first + WORD.state);
    return {
      state,
      type: this.#words[first + WORD.type]!,
      records: this.#words[first + WORD.records]!,
      offset: this.#view.getFloat64(4 * (first + WORD.offset), true),
      raw: this.#rawOf(this.#words[first + WORD.rawLength]!),
    };
  }

  /** Gives the slot back; the next one's turn has come. */
  free(): void {
    const state = this.reading.gone ? SLOT.gone : SLOT.free;
    Atomics.store(this.#words, this.#first + WORD.state, state);
    this.#turn++;
  }

  /** Resolves when the other one fills no more, and touches no file. For the one that empties. */
  async stop(): Promise<void> {
    this.reading.stop();
    this.#wake();
    await this.reading.stopped();
  }

  /** Nobody fills any more: `gone` comes after what was filled. For the one that empties. */
  abandon(): void {
    this.reading.abandon();
    for (let slot = 0; slot < SLOTS; slot++) {
      const state = WORD.count * slot + WORD.state;
      Atomics.compareExchange(this.#words, state, SLOT.free, SLOT.gone);
      // Also of what was filled: the other one may have ended before it said so.
      Atomics.notify(this.#words, state);
    }
  }

  #sleep(): void {
    const state = this.#first + WORD.state;
    while (this.filled && !this.reading.stopping) {
      Atomics.wait(this.#words, state, Atomics.load(this.#words, state), LOOK_MS);
    }
  }

  /** Whoever fills looks at once. */
  #wake(): void {
    for (let slot = 0; slot < SLOTS; slot++) {
      Atomics.notify(this.#words, WORD.count * slot + WORD.state);
    }
  }

  #set(first: number, state: number): void {
    Atomics.store(this.#words, first + WORD.state, state);
    Atomics.notify(this.#words, first + WORD.state);
  }

  #rawOf(length: number): Uint8Array {
    const start = RAW_START + LIMITS.blockBytes * (this.#turn % SLOTS);
    return new Uint8Array(this.#memory, start, length);
  }
}
