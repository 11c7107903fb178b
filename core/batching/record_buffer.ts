/** Records that gather to a batch: copied once, out of the ring. */
import type { RecordBatch } from "../backend.ts";

export class RecordBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #offsets = new Uint32Array(1024);
  #lengths = new Uint32Array(1024);
  #count = 0;
  #used = 0;

  constructor(bytes: number) {
    this.#bytes = new Uint8Array(bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get count(): number {
    return this.#count;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Copies record `index` of `batch`, at a multiple of eight as rings have them. */
  add(batch: RecordBatch, index: number): void {
    const length = batch.lengths[index]!;
    const offset = batch.offsets[index]!;
    const at = (this.#used + 7) & ~7;
    this.#reserve(at + length);
    this.#copy(batch, offset, length, at);
    this.#offsets[this.#count] = at;
    this.#lengths[this.#count] = length;
    this.#count += 1;
    this.#used = at + length;
  }

  /** By words: a view of the record would be an allocation for each event. */
  #copy({ view, buffer }: RecordBatch, from: number, length: number, to: number): void {
    const words = length & ~3;
    for (let i = 0; i < words; i += 4) {
      this.#view.setInt32(to + i, view.getInt32(from + i, true), true);
    }
    for (let i = words; i < length; i++) this.#bytes[to + i] = buffer[from + i]!;
  }

  #reserve(bytes: number): void {
    if (this.#count === this.#offsets.length) {
      const [offsets, lengths] = [this.#offsets, this.#lengths];
      this.#offsets = new Uint32Array(2 * offsets.length);
      this.#lengths = new Uint32Array(2 * lengths.length);
      this.#offsets.set(offsets);
      this.#lengths.set(lengths);
    }
    if (bytes <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(bytes, 2 * this.#bytes.length));
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
