/** Blocks of columns back to the records that they were made of, byte for byte. */
import type { RecordBatch } from "../../backend.ts";
import { crc32c } from "../../trace/crc32c.ts";
import type { BlockCodec } from "./block_codec.ts";
import {
  AT,
  BLOCK_BYTES_MAX,
  BLOCK_HEADER_BYTES,
  BLOCK_MAGIC,
  FLAG_TAILS,
  RECORDS_PER_BLOCK_MAX,
} from "./block_layout.ts";
import { BlockReader } from "./block_reader.ts";
import { type ColumnGroup, columnGroups } from "./columns.ts";
import { Predecessors } from "./predecessors.ts";
import { headerField, type RecordSchema } from "./record_schema.ts";
import { ColumnarError } from "./schema_header.ts";
import { createValues, scatter } from "./transforms.ts";

/** What the fixed start of a block says. */
export interface BlockHeader {
  readonly codec: number;
  readonly flags: number;
  readonly count: number;
  readonly recordBytes: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly noise: number;
  readonly descriptions: number;
  readonly crc: number;
  /** Of the whole block. */
  readonly length: number;
}

/** Throws `ColumnarError` unless an intact block header stands at `at`. */
export function readBlockHeader(bytes: Uint8Array, at = 0): BlockHeader {
  if (bytes.length - at < BLOCK_HEADER_BYTES) throw new ColumnarError("ends within a block header");
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, BLOCK_HEADER_BYTES);
  const word = (offset: number): number => view.getUint32(offset, true);
  const sum = crc32c(bytes, at, at + AT.headerCrc);
  if (word(AT.magic) !== BLOCK_MAGIC || word(AT.headerCrc) !== sum) {
    throw new ColumnarError(`no intact block header at byte ${at}`);
  }
  const header = {
    codec: view.getUint8(AT.codec),
    flags: view.getUint8(AT.flags),
    count: word(AT.count),
    recordBytes: word(AT.recordBytes),
    packed: word(AT.packed),
    unpacked: word(AT.unpacked),
    noise: word(AT.noise),
    descriptions: word(AT.descriptions),
    crc: word(AT.crc),
    length: BLOCK_HEADER_BYTES + word(AT.packed) + word(AT.noise),
  };
  const largest = Math.max(header.recordBytes, header.packed, header.unpacked, header.noise);
  if (largest > BLOCK_BYTES_MAX || header.count > RECORDS_PER_BLOCK_MAX) {
    throw new ColumnarError(`the block at byte ${at} is larger than any that is written`);
  }
  return header;
}

function decompress(codec: BlockCodec, packed: Uint8Array, rawLength: number): Uint8Array {
  try {
    const raw = codec.decompress(packed, rawLength);
    if (raw.length === rawLength) return raw;
  } catch {
    // Told below: what the codec says of damage varies with its version.
  }
  throw new ColumnarError(`a block that is no ${codec.name} frame of ${rawLength} bytes`);
}

export class ColumnarDecoder {
  readonly schema: RecordSchema;
  readonly #codecs: readonly BlockCodec[];
  readonly #groups: readonly ColumnGroup[];
  readonly #predecessors = new Predecessors();
  readonly #typeOffset: number;

  /** `codecs`: those that blocks may be written with. */
  constructor(schema: RecordSchema, codecs: readonly BlockCodec[]) {
    this.schema = schema;
    this.#codecs = codecs;
    this.#groups = columnGroups(schema);
    this.#typeOffset = headerField(schema, "type").offset;
  }

  /**
   * The records of the block at `at`, in memory of their own. Throws `ColumnarError` for a damaged
   * block, or one whose codec is not there.
   */
  decode(bytes: Uint8Array, at = 0): RecordBatch {
    const header = readBlockHeader(bytes, at);
    const end = at + header.length;
    if (end > bytes.length) throw new ColumnarError("ends within a block");
    if (crc32c(bytes, at + BLOCK_HEADER_BYTES, end) !== header.crc) {
      throw new ColumnarError(`the checksum of the block at byte ${at} is wrong`);
    }
    const codec = this.#codecs.find(({ id }) => id === header.codec);
    if (codec === undefined) throw new ColumnarError(`codec ${header.codec} is not known`);
    const from = at + BLOCK_HEADER_BYTES;
    const packed = bytes.subarray(from, from + header.packed);
    const noise = bytes.subarray(from + header.packed, end);
    const raw = decompress(codec, packed, header.unpacked);
    return this.#records(new BlockReader(raw, noise, header.descriptions), header);
  }

  #records(block: BlockReader, { count, flags, recordBytes }: BlockHeader): RecordBatch {
    // Structs differ in size, so headers are put together first.
    const { header, structs, types } = this.schema;
    const headers = new Uint8Array(count * header.size);
    const headerStarts = Uint32Array.from({ length: count }, (_, i) => i * header.size);
    if (count > 0) this.#decodeGroup(block, this.#groups[0]!, headers, headerStarts, count);
    const structOf = new Map(types.map(({ number, struct }) => [number, struct]));
    const rows = new Uint16Array(count);
    const lengths = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const type = i * header.size + this.#typeOffset;
      const struct = structOf.get(headers[type]! | (headers[type + 1]! << 8));
      if (struct === undefined) throw new ColumnarError("a record of a type that it does not name");
      rows[i] = struct;
      lengths[i] = structs[struct]!.size;
    }
    const bodies = this.#bodies(block, headers, rows, lengths);
    const { buffer, offsets } = this.#join(bodies, flags, block, rows, lengths, recordBytes);
    block.finish();
    return { buffer, view: new DataView(buffer.buffer), offsets, lengths, count };
  }

  /** Records without what is beyond their structs, one after the other. */
  #bodies(
    block: BlockReader,
    headers: Uint8Array,
    rows: Uint16Array,
    lengths: Uint32Array,
  ): Uint8Array<ArrayBuffer> {
    const { size } = this.schema.header;
    const starts = new Uint32Array(rows.length);
    let total = 0;
    for (let i = 0; i < rows.length; i++) {
      starts[i] = total;
      total += lengths[i]!;
    }
    const bytes = new Uint8Array(total);
    for (let i = 0; i < rows.length; i++) {
      bytes.set(headers.subarray(i * size, (i + 1) * size), starts[i]!);
    }
    this.schema.structs.forEach((_, struct) => {
      const own = starts.filter((__, i) => rows[i] === struct);
      const group = this.#groups[struct + 1]!;
      if (own.length > 0) this.#decodeGroup(block, group, bytes, own, own.length);
    });
    return bytes;
  }

  #join(
    bodies: Uint8Array<ArrayBuffer>,
    flags: number,
    block: BlockReader,
    rows: Uint16Array,
    lengths: Uint32Array,
    recordBytes: number,
  ): { readonly buffer: Uint8Array<ArrayBuffer>; readonly offsets: Uint32Array } {
    const tails = (flags & FLAG_TAILS) === 0 ? undefined : block.tails(rows.length);
    const offsets = new Uint32Array(rows.length);
    let from = 0;
    let to = 0;
    if (tails === undefined && bodies.length !== recordBytes) {
      throw new ColumnarError("a block whose records do not add up");
    }
    const buffer = tails === undefined ? bodies : new Uint8Array(recordBytes);
    for (let i = 0; i < rows.length; i++) {
      offsets[i] = to;
      const tail = tails?.[i];
      if (tail !== undefined) {
        if (to + lengths[i]! + tail.length > recordBytes) {
          throw new ColumnarError("a block whose records do not add up");
        }
        buffer.set(bodies.subarray(from, from + lengths[i]!), to);
        buffer.set(tail, to + lengths[i]!);
      }
      from += lengths[i]!;
      lengths[i]! += tail?.length ?? 0;
      to += lengths[i]!;
    }
    return { buffer, offsets };
  }

  #decodeGroup(
    block: BlockReader,
    group: ColumnGroup,
    bytes: Uint8Array,
    starts: Uint32Array,
    count: number,
  ): void {
    const predecessors: Int32Array[] = [];
    const values = createValues(count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const previousOf = (context: number): Int32Array => {
      const key = group.contexts[context - 1];
      if (key === undefined) throw new ColumnarError("a column without its key");
      let found = predecessors[context - 1];
      if (found === undefined) {
        found = new Int32Array(count);
        this.#predecessors.find(view, starts, count, key, found);
        predecessors[context - 1] = found;
      }
      return found;
    };
    const described = group.columns.map(({ width }) => block.describe(width, count));
    // Keys come first, wherever they stand: others are decoded by them.
    for (const keys of [true, false]) {
      group.columns.forEach((column, index) => {
        if (group.keyColumns[index] !== keys) return;
        const description = described[index]!;
        const { context } = description;
        if (keys && context !== 0) throw new ColumnarError("a key that needs a key");
        const previous = context === 0 ? undefined : previousOf(context);
        block.read(description, count, values, previous);
        scatter(bytes, starts, count, column, values);
      });
    }
  }
}
