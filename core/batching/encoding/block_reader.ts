/** Reads the columns of one block from its decompressed sections. Damage ends in a `ColumnarError`. */
import { ColumnarError } from "./schema_header.ts";
import { canDelta, readPlane, TRANSFORM, undelta, unxor, type Values } from "./transforms.ts";

/** A column's description, and where its planes begin. */
export interface ColumnDescription {
  readonly width: number;
  readonly transform: number;
  readonly context: number;
  readonly present: number;
  readonly noise: number;
  readonly entries: number;
  /** Of the first value, or of the dictionary. */
  readonly valuesAt: number;
  readonly planesAt: number;
  readonly noiseAt: number;
}

function bitCount(mask: number): number {
  let count = 0;
  for (let bits = mask; bits !== 0; bits &= bits - 1) count++;
  return count;
}

export class BlockReader {
  readonly #raw: Uint8Array;
  readonly #noise: Uint8Array;
  readonly #descriptionsEnd: number;
  #at = 0;
  #planesAt: number;
  #noiseAt = 0;

  constructor(raw: Uint8Array, noise: Uint8Array, descriptions: number) {
    if (descriptions > raw.length) throw new ColumnarError("a block that ends too early");
    this.#raw = raw;
    this.#noise = noise;
    this.#descriptionsEnd = descriptions;
    this.#planesAt = descriptions;
  }

  #take(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#descriptionsEnd) throw new ColumnarError("a block that ends too early");
    return at;
  }

  #byte(): number {
    return this.#raw[this.#take(1)]!;
  }

  /** The next column's description. */
  describe(width: number, count: number): ColumnDescription {
    const first = this.#byte();
    const transform = first & 7;
    const context = first >> 3;
    const planesAt = this.#planesAt;
    const noiseAt = this.#noiseAt;
    let [present, noise, entries] = [0, 0, 0];
    if (transform === TRANSFORM.dictionary) {
      entries = this.#byte() + 1;
      this.#planesAt += count;
    } else if (transform !== TRANSFORM.constant) {
      present = this.#byte();
      noise = this.#byte();
      this.#planesAt += bitCount(present & ~noise) * count;
      this.#noiseAt += bitCount(noise) * count;
    }
    const wrong =
      transform > TRANSFORM.dictionary ||
      (present & ~((1 << width) - 1)) !== 0 ||
      (noise & ~present) !== 0 ||
      (transform === TRANSFORM.delta && !canDelta(width));
    if (wrong) throw new ColumnarError("a column that is described wrongly");
    if (this.#planesAt > this.#raw.length || this.#noiseAt > this.#noise.length) {
      throw new ColumnarError("a block that ends too early");
    }
    const values = transform === TRANSFORM.raw ? 0 : Math.max(1, entries);
    const valuesAt = this.#take(values * width);
    return { width, transform, context, present, noise, entries, valuesAt, planesAt, noiseAt };
  }

  /** Sets the first `count` of `values`. */
  read(
    description: ColumnDescription,
    count: number,
    values: Values,
    previous: Int32Array | undefined,
  ): void {
    const { transform, width, valuesAt } = description;
    const { low, high } = values;
    if (transform === TRANSFORM.dictionary) {
      this.#lookUp(description, count, values);
      return;
    }
    if (transform === TRANSFORM.constant) {
      low.fill(this.#half(valuesAt, width, 0), 0, count);
      high.fill(this.#half(valuesAt, width, 4), 0, count);
      return;
    }
    this.#readPlanes(description, count, values);
    if (transform === TRANSFORM.raw) return;
    low[0] = this.#half(valuesAt, width, 0);
    high[0] = this.#half(valuesAt, width, 4);
    if (transform === TRANSFORM.delta) undelta(values, count, width, previous);
    else unxor(values, count, previous);
  }

  #readPlanes(description: ColumnDescription, count: number, values: Values): void {
    const { width, present, noise } = description;
    let { planesAt, noiseAt } = description;
    values.low.fill(0, 0, count);
    values.high.fill(0, 0, count);
    for (let plane = 0; plane < width; plane++) {
      if ((present & (1 << plane)) === 0) continue;
      if ((noise & (1 << plane)) !== 0) {
        readPlane(values, count, plane, this.#noise, noiseAt);
        noiseAt += count;
      } else {
        readPlane(values, count, plane, this.#raw, planesAt);
        planesAt += count;
      }
    }
  }

  #lookUp(description: ColumnDescription, count: number, { low, high }: Values): void {
    const { width, entries, valuesAt, planesAt } = description;
    for (let i = 0; i < count; i++) {
      const entry = this.#raw[planesAt + i]!;
      if (entry >= entries) throw new ColumnarError("an index past its dictionary");
      low[i] = this.#half(valuesAt + entry * width, width, 0);
      high[i] = this.#half(valuesAt + entry * width, width, 4);
    }
  }

  /** Bytes `from` to `from + 4` of the value at `at`, as far as it has them. */
  #half(at: number, width: number, from: number): number {
    let value = 0;
    const end = Math.min(width, from + 4);
    for (let byte = from; byte < end; byte++) value |= this.#raw[at + byte]! << (8 * (byte - from));
    return value;
  }

  /** What each record has beyond its struct. */
  tails(count: number): Uint8Array[] {
    const lengthsAt = this.#planesAt;
    this.#planesAt += 4 * count;
    if (this.#planesAt > this.#raw.length) throw new ColumnarError("a block that ends too early");
    const view = new DataView(this.#raw.buffer, this.#raw.byteOffset, this.#raw.length);
    return Array.from({ length: count }, (_, i) => {
      const at = this.#planesAt;
      this.#planesAt += view.getUint32(lengthsAt + 4 * i, true);
      if (this.#planesAt > this.#raw.length) throw new ColumnarError("a block that ends too early");
      return this.#raw.subarray(at, this.#planesAt);
    });
  }

  /** Throws where something is left over. */
  finish(): void {
    const whole =
      this.#at === this.#descriptionsEnd &&
      this.#planesAt === this.#raw.length &&
      this.#noiseAt === this.#noise.length;
    if (!whole) throw new ColumnarError("a block with more than its columns");
  }
}
