/**
 * Codecs built from BTF: bytes of a C type to plain values and back. This is the slow API, for map
 * keys, configuration and display; `fields.ts` has the one for hot paths.
 *
 * | C                                    | decoded as                                     |
 * |--------------------------------------|------------------------------------------------|
 * | integers, bool, enums up to 32 bits  | number                                         |
 * | 64- and 128-bit integers, pointers   | bigint (a bit field goes by its declared type) |
 * | float, double                        | number; of another width: Uint8Array           |
 * | `char x[N]`                          | string, cut at the first NUL                   |
 * | `u8 x[N]`                            | Uint8Array, a copy                             |
 * | other arrays                         | array                                          |
 * | structs                              | object; anonymous members' members stand in it |
 * | unions                               | object with every member                       |
 */

import { BpfError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import { arrayCodec } from "./codec_arrays.ts";
import { scalarCodec } from "./codec_scalars.ts";
import { structCodec } from "./codec_structs.ts";
import type { BtfValue, ValueCodec } from "./codec_values.ts";
import { type Field, rootField } from "./layout.ts";
import { describeType } from "./queries.ts";

export {
  bytesField,
  fieldReader,
  fieldReaderPair,
  fieldWriter,
  fieldWriterPair,
} from "./fields.ts";
export type { BtfValue };

/** Converts between the bytes of one type and a plain value. Keeps no reference to either. */
export interface Codec {
  /** Bytes of one value. */
  readonly size: number;
  /** Throws `BpfError` where `bytes` ends before the value does. */
  decode(bytes: Uint8Array, offset?: number): BtfValue;
  /**
   * Writes all `size` bytes; padding and what `value` leaves out become zero. Throws `BpfError`,
   * and then writes nothing, for a field that does not exist, a value of the wrong kind or out of
   * range, and union members that contradict each other.
   *
   * Integers and pointers take number, bigint or boolean; `char` arrays string or Uint8Array;
   * arrays any array of at most their length.
   */
  encode(value: unknown, bytes: Uint8Array, offset?: number): void;
}

const MAX_DEPTH = 128;
/** Values that one decoding may create: bounds what `struct {} x[1 << 30]` would cost. */
const MAX_VALUES = 1 << 20;

/** The codec of a type with a size, or of a variable. Throws `BpfError` for other types. */
export function createCodec(btf: Btf, typeId: number): Codec {
  const root = rootField(btf, typeId);
  const name = describeType(btf, typeId);
  const { read, write } = new CodecBuilder(btf).build(root);
  const { size } = root;
  return {
    size,
    decode(bytes, offset = 0) {
      checkBounds(`decode ${name}`, bytes, offset, size);
      return read(new DataView(bytes.buffer, bytes.byteOffset + offset, size), 0);
    },
    encode(value, bytes, offset = 0) {
      checkBounds(`encode ${name}`, bytes, offset, size);
      const scratch = new Uint8Array(size);
      write(new DataView(scratch.buffer), 0, value, "");
      bytes.set(scratch, offset);
    },
  };
}

function checkBounds(operation: string, bytes: Uint8Array, offset: number, size: number): void {
  if (Number.isInteger(offset) && offset >= 0 && offset + size <= bytes.length) return;
  throw new BpfError(operation, `${size} bytes at ${offset} do not fit into ${bytes.length}`);
}

/** Builds the codecs of one type graph; a type that is used twice is built once. */
class CodecBuilder {
  readonly #btf: Btf;
  readonly #known = new Map<number, ValueCodec>();
  #depth = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** The codec of a field, at the field's offset. */
  readonly build = (field: Field): ValueCodec => {
    if (field.kind !== "array" && field.kind !== "struct" && field.kind !== "union") {
      return scalarCodec(field);
    }
    let codec = this.#known.get(field.typeId);
    if (codec === undefined) {
      codec = this.#buildComposite(rootField(this.#btf, field.typeId));
      this.#known.set(field.typeId, codec);
    }
    return field.offset === 0 ? codec : shifted(codec, field.offset);
  };

  #buildComposite(field: Field): ValueCodec {
    const limit = (problem: string) =>
      new BpfError("build BTF codec", `${describeType(this.#btf, field.typeId)} ${problem}`);
    if (++this.#depth > MAX_DEPTH) throw limit("is nested too deeply");
    const codec =
      field.kind === "array"
        ? arrayCodec(this.#btf, field, this.build)
        : structCodec(this.#btf, field, this.build);
    if (codec.values > MAX_VALUES) throw limit(`holds more than ${MAX_VALUES} values`);
    this.#depth--;
    return codec;
  }
}

function shifted(codec: ValueCodec, offset: number): ValueCodec {
  return {
    values: codec.values,
    read: (view, base) => codec.read(view, base + offset),
    write: (view, base, value, path) => codec.write(view, base + offset, value, path),
  };
}
