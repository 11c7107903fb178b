/** Records that gather to a batch: copied once, out of the ring. */
import type { RecordBatch } from "../backend.ts";

/** Bytes between two records of a ring at most, their headers and padding, that are copied with them. */
const GAP_BYTES_MAX = 16;

export class RecordBuffer {
  readonly #allocate: (bytes: number) => ArrayBufferLike;
  #bytes: Uint8Array;
  #view: DataView;
  #offsets: Uint32Array;
  #lengths: Uint32Array;
  #count = 0;
  #used = 0;

  /** Begins with `bytes`, and grows. */
  constructor(bytes: number, allocate: (bytes: number) => ArrayBufferLike) {
    this.#allocate = allocate;
    this.#bytes = new Uint8Array(allocate(bytes));
    this.#view = new DataView(this.#bytes.buffer);
    this.#offsets = new Uint32Array(allocate(4096));
    this.#lengths = new Uint32Array(allocate(4096));
  }

  get count(): number {
    return this.#count;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /**
   * Copies records `from` to `end` of `batch`, at multiples of eight as rings have them. Those that lie next to each other are
   * copied as one, so nothing is allocated for each.
   */
  add(batch: RecordBatch, from: number, end: number): void {
    const { offsets, lengths } = batch;
    this.#reserveRecords(this.#count + end - from);
    for (let first = from; first < end; ) {
      const start = offsets[first]!;
      let stop = start + lengths[first]!;
      let next = first + 1;
      for (; next < end; next++) {
        const gap = offsets[next]! - stop;
        if (gap < 0 || gap > GAP_BYTES_MAX) break;
        stop = offsets[next]! + lengths[next]!;
      }
      const to = this.#copy(batch.buffer, start, stop);
      for (let i = first; i < next; i++) {
        this.#offsets[this.#count] = to + offsets[i]! - start;
        this.#lengths[this.#count] = lengths[i]!;
        this.#count += 1;
      }
      first = next;
    }
  }

  /** Returns where the bytes are now. */
  #copy(bytes: Uint8Array, start: number, stop: number): number {
    const to = (this.#used + 7) & ~7;
    this.#reserveBytes(to + stop - start);
    this.#bytes.set(bytes.subarray(start, stop), to);
    this.#used = to + stop - start;
    return to;
  }

  #reserveRecords(count: number): void {
    if (count <= this.#offsets.length) return;
    const [offsets, lengths] = [this.#offsets, this.#lengths];
    const bytes = 4 * Math.max(count, 2 * offsets.length);
    this.#offsets = new Uint32Array(this.#allocate(bytes));
    this.#lengths = new Uint32Array(this.#allocate(bytes));
    this.#offsets.set(offsets);
    this.#lengths.set(lengths);
  }

  #reserveBytes(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#allocate(Math.max(bytes, 2 * this.#bytes.length)));
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** What gathered, valid until the next `add`. */
  batch(): RecordBatch {
    return {
      buffer: this.#bytes,
      view: this.#view,
      offsets: this.#offsets,
      lengths: this.#lengths,
      count: this.#count,
    };
  }

  clear(): void {
    this.#count = 0;
    this.#used = 0;
  }
}
