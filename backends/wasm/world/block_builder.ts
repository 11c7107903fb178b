/** Collects generated records into blocks of the shape that trace readers yield. */
import type { EventBlock } from "#core/trace/event_block.ts";
import { LIMITS } from "#core/trace/format.ts";

const CONTEXTS_BYTES = LIMITS.blockBytes / 2;

export class BlockBuilder {
  readonly #timeDeltas_ns = new Uint32Array(LIMITS.blockRecords);
  readonly #cpus = new Uint16Array(LIMITS.blockRecords);
  readonly #slots = new Uint16Array(LIMITS.blockRecords);
  readonly #hooks = new Uint8Array(LIMITS.blockRecords);
  readonly #contextOffsets = new Uint32Array(LIMITS.blockRecords);
  readonly contexts = new Uint8Array(CONTEXTS_BYTES);
  readonly view = new DataView(this.contexts.buffer);
  #count = 0;
  #used = 0;
  #base_ns = 0;

  get count(): number {
    return this.#count;
  }

  /** Whether a record of this time and size still goes into the block. */
  fits(time_ns: number, size: number): boolean {
    if (this.#count === 0) return true;
    const delta = time_ns - this.#base_ns;
    return (
      this.#count < LIMITS.blockRecords && this.#used + size <= CONTEXTS_BYTES && delta < 2 ** 32
    );
  }

  /** Appends a record; returns where its context, all zero, starts in `contexts`. */
  add(time_ns: number, cpu: number, slot: number, hook: number, size: number): number {
    if (this.#count === 0) this.#base_ns = time_ns;
    const i = this.#count++;
    this.#timeDeltas_ns[i] = time_ns - this.#base_ns;
    this.#cpus[i] = cpu;
    this.#slots[i] = slot;
    this.#hooks[i] = hook;
    this.#contextOffsets[i] = this.#used;
    const offset = this.#used;
    this.contexts.fill(0, offset, offset + size);
    this.#used += size;
    return offset;
  }

  /** The block so far; valid until `reset`. */
  block(): EventBlock {
    return {
      kind: "events",
      count: this.#count,
      base_ns: BigInt(this.#base_ns),
      baseHigh: Math.floor(this.#base_ns / 2 ** 32),
      baseLow: this.#base_ns % 2 ** 32,
      timeDeltas_ns: this.#timeDeltas_ns,
      cpus: this.#cpus,
      slots: this.#slots,
      hooks: this.#hooks,
      contextOffsets: this.#contextOffsets,
      contexts: this.contexts,
    };
  }

  reset(): void {
    this.#count = 0;
    this.#used = 0;
  }
}
