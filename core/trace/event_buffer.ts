/** The events of one block while it is being filled: columns of the greatest length, and contexts. */

import { contextsOffset, EVENT_BASE_BYTES, LIMITS } from "./format.ts";

export class EventBuffer {
  readonly #capacity: number;
  count = 0;
  /** Time of the first event, in halves. */
  baseHigh = 0;
  baseLow = 0;
  readonly #timeDeltas: Uint32Array;
  readonly #cpus: Uint16Array;
  readonly #slots: Uint16Array;
  readonly #hooks: Uint8Array;
  readonly #contexts = new Uint8Array(LIMITS.blockBytes);
  #contextBytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#timeDeltas = new Uint32Array(capacity);
    this.#cpus = new Uint16Array(capacity);
    this.#slots = new Uint16Array(capacity);
    this.#hooks = new Uint8Array(capacity);
  }

  /** Whether an event with this time and context size can join the block. */
  fits(timeHigh: number, timeLow: number, contextBytes: number): boolean {
    if (this.count === 0) return true;
    if (this.count === this.#capacity) return false;
    if (this.#delta(timeHigh, timeLow) > 0xffffffff) return false;
    const total = contextsOffset(this.count + 1) + this.#contextBytes + contextBytes;
    return total <= LIMITS.blockBytes;
  }

  push(
    timeHigh: number,
    timeLow: number,
    cpu: number,
    slot: number,
    hook: number,
    context: Uint8Array,
    offset: number,
    length: number,
  ): void {
    if (this.count === 0) {
      this.baseHigh = timeHigh;
      this.baseLow = timeLow;
      this.#contextBytes = 0;
    }
    const at = this.count++;
    this.#timeDeltas[at] = this.#delta(timeHigh, timeLow);
    this.#cpus[at] = cpu;
    this.#slots[at] = slot;
    this.#hooks[at] = hook;
    // A loop, for a subarray would allocate once per event.
    const contexts = this.#contexts;
    let to = this.#contextBytes;
    for (let from = offset; from < offset + length; from++) contexts[to++] = context[from]!;
    this.#contextBytes = to;
  }

  /** Writes the payload of an event block to the start of `target`; returns its length. */
  encode(target: Uint8Array, view: DataView): number {
    const count = this.count;
    view.setUint32(0, this.baseLow, true);
    view.setUint32(4, this.baseHigh, true);
    let at: number = EVENT_BASE_BYTES;
    for (const column of [this.#timeDeltas, this.#cpus, this.#slots, this.#hooks]) {
      const bytes = column.BYTES_PER_ELEMENT * count;
      target.set(new Uint8Array(column.buffer, 0, bytes), at);
      at += bytes;
    }
    const contextsAt = contextsOffset(count);
    target.fill(0, at, contextsAt);
    target.set(this.#contexts.subarray(0, this.#contextBytes), contextsAt);
    return contextsAt + this.#contextBytes;
  }

  /** Nanoseconds since the block's base: exact, or far above 32 bits. */
  #delta(timeHigh: number, timeLow: number): number {
    return (timeHigh - this.baseHigh) * 0x1_0000_0000 + (timeLow - this.baseLow);
  }
}
