/** Ring records as blocks of compressed columns. */
import type { RecordBatch } from "../../backend.ts";
import { crc32c } from "../../trace/crc32c.ts";
import type { BlockCodec } from "./block_codec.ts";
import { AT, BLOCK_HEADER_BYTES, BLOCK_MAGIC, FLAG_TAILS } from "./block_layout.ts";
import { type ColumnPlan, ColumnPlanner, PLAN_RECORDS_MAX } from "./column_plan.ts";
import { type ColumnGroup, columnGroups } from "./columns.ts";
import { Predecessors } from "./predecessors.ts";
import type { EncodedRecords, RecordEncoder } from "./record_encoder.ts";
import type { RecordSchema } from "./record_schema.ts";
import { RecordSelection } from "./record_selection.ts";
import { encodeSchemaHeader } from "./schema_header.ts";
import {
  createValues,
  delta,
  gather,
  planeBits,
  TRANSFORM,
  type Values,
  writePlane,
  xor,
} from "./transforms.ts";
import { ValueDictionary } from "./value_dictionary.ts";

/** Batches between two looks at how the columns are best transformed. */
const BATCHES_PER_PLAN = 64;
interface GroupState {
  readonly group: ColumnGroup;
  readonly predecessors: Int32Array[];
  plans: readonly ColumnPlan[];
  /** Records that the plan was made for: one that saw few of them is made again soon. */
  plannedCount: number;
  age: number;
}

/** Appends to three growing sections: descriptions, planes to compress, and noise. */
class Section {
  bytes = new Uint8Array(4096);
  length = 0;

  /** Returns where `count` more bytes start. */
  take(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(this.length, 2 * this.bytes.length));
      grown.set(this.bytes.subarray(0, at));
      this.bytes = grown;
    }
    return at;
  }

  byte(value: number): void {
    const at = this.take(1);
    this.bytes[at] = value;
  }
}

export class ColumnarEncoder implements RecordEncoder {
  readonly encoding = "columnar";
  /** Begins every file, and the log. */
  readonly schemaHeader: Uint8Array;
  readonly #codec: BlockCodec;
  readonly #groups: readonly GroupState[];
  readonly #selection: RecordSelection;
  readonly #predecessors = new Predecessors();
  readonly #dictionary = new ValueDictionary();
  readonly #planner = new ColumnPlanner(this.#dictionary);
  readonly #descriptions = new Section();
  readonly #planes = new Section();
  readonly #noise = new Section();
  /** Descriptions and planes together, as they are compressed. */
  #unpacked = new Uint8Array(0);
  #values: Values = createValues(0);
  #out: Values = createValues(0);

  constructor(schema: RecordSchema, codec: BlockCodec) {
    this.#codec = codec;
    this.schemaHeader = encodeSchemaHeader(schema);
    this.#selection = new RecordSelection(schema);
    this.#groups = columnGroups(schema).map((group) => ({
      group,
      predecessors: group.contexts.map(() => new Int32Array(0)),
      plans: [],
      plannedCount: 0,
      age: 0,
    }));
  }

  encode(batch: RecordBatch): EncodedRecords {
    const selection = this.#selection;
    selection.select(batch);
    this.#reserve(selection.count);
    this.#descriptions.length = 0;
    this.#planes.length = 0;
    this.#noise.length = 0;
    this.#groups.forEach((state, index) => {
      const rows = index === 0 ? selection.all : selection.ofStruct[index - 1]!;
      if (rows.count > 0) this.#encodeGroup(batch.view, rows.starts, rows.count, state);
    });
    if (selection.tailBytes > 0) this.#encodeTails(batch.buffer);
    const { count, rawBytes, malformed } = selection;
    return { bytes: this.#block(), count, rawBytes, malformed };
  }

  #reserve(count: number): void {
    if (this.#values.low.length >= count) return;
    const capacity = Math.max(256, 2 ** Math.ceil(Math.log2(count)));
    this.#values = createValues(capacity);
    this.#out = createValues(capacity);
    for (const state of this.#groups) {
      state.predecessors.forEach((_, i) => {
        state.predecessors[i] = new Int32Array(capacity);
      });
    }
  }

  #encodeGroup(view: DataView, starts: Uint32Array, count: number, state: GroupState): void {
    const { group } = state;
    const seen = Math.min(count, PLAN_RECORDS_MAX);
    const plan = state.age % BATCHES_PER_PLAN === 0 || seen > 4 * state.plannedCount;
    group.contexts.forEach((key, context) => {
      if (!plan && !state.plans.some((each) => each.context === context + 1)) return;
      this.#predecessors.find(view, starts, count, key, state.predecessors[context]!);
    });
    if (plan) {
      state.plans = this.#planner.plan(view, starts, count, group, state.predecessors);
      state.plannedCount = seen;
      state.age = 0;
    }
    state.age++;
    group.columns.forEach((column, index) => {
      const { width } = column;
      if (gather(view, starts, count, column, this.#values)) {
        this.#descriptions.byte(TRANSFORM.constant);
        this.#writeValue(this.#values, 0, width);
      } else this.#encodeColumn(width, count, state.plans[index]!, state.predecessors);
    });
  }

  #encodeColumn(
    width: number,
    count: number,
    plan: ColumnPlan,
    predecessors: readonly Int32Array[],
  ): void {
    const previous = plan.context === 0 ? undefined : predecessors[plan.context - 1];
    let { transform } = plan;
    if (transform === TRANSFORM.dictionary) {
      if (this.#encodeDictionary(width, count)) return;
      transform = TRANSFORM.raw;
    }
    let planes = this.#out;
    if (transform === TRANSFORM.delta) delta(this.#values, count, width, previous, planes);
    else if (transform === TRANSFORM.xor) xor(this.#values, count, width, previous, planes);
    else planes = this.#values;
    this.#descriptions.byte(transform | (plan.context << 3));
    this.#encodePlanes(planes, count, width, plan.noisePlanes);
    if (transform !== TRANSFORM.raw) this.#writeValue(this.#values, 0, width);
  }

  #encodeDictionary(width: number, count: number): boolean {
    if (!this.#dictionary.build(this.#values, count, this.#out)) return false;
    this.#descriptions.byte(TRANSFORM.dictionary);
    this.#descriptions.byte(this.#dictionary.count - 1);
    for (let entry = 0; entry < this.#dictionary.count; entry++) {
      this.#writeValue(this.#dictionary.entries, entry, width);
    }
    const at = this.#planes.take(count);
    writePlane(this.#out, count, 0, this.#planes.bytes, at);
    return true;
  }

  #writeValue(values: Values, index: number, width: number): void {
    const at = this.#descriptions.take(width);
    for (let plane = 0; plane < width; plane++) {
      const half = plane < 4 ? values.low[index]! : values.high[index]!;
      this.#descriptions.bytes[at + plane] = half >>> (8 * (plane & 3));
    }
  }

  #encodePlanes(values: Values, count: number, width: number, noisePlanes: number): void {
    const masks = this.#descriptions.take(2);
    let present = 0;
    let noise = 0;
    for (let plane = 0; plane < width; plane++) {
      if (planeBits(values, plane) === 0) continue;
      present |= 1 << plane;
      const isNoise = (noisePlanes & (1 << plane)) !== 0;
      if (isNoise) noise |= 1 << plane;
      const section = isNoise ? this.#noise : this.#planes;
      const at = section.take(count);
      writePlane(values, count, plane, section.bytes, at);
    }
    this.#descriptions.bytes[masks] = present;
    this.#descriptions.bytes[masks + 1] = noise;
  }

  #encodeTails(bytes: Uint8Array): void {
    const { all, tails } = this.#selection;
    const at = this.#planes.take(4 * all.count);
    const view = new DataView(this.#planes.bytes.buffer);
    for (let i = 0; i < all.count; i++) view.setUint32(at + 4 * i, tails[i]!, true);
    for (let i = 0; i < all.count; i++) {
      const start = all.starts[i]! + this.#selection.sizes[i]!;
      const to = this.#planes.take(tails[i]!);
      this.#planes.bytes.set(bytes.subarray(start, start + tails[i]!), to);
    }
  }

  #block(): Uint8Array {
    const described = this.#descriptions.length;
    const rawBytes = described + this.#planes.length;
    if (this.#unpacked.length < rawBytes) this.#unpacked = new Uint8Array(2 * rawBytes);
    const raw = this.#unpacked.subarray(0, rawBytes);
    raw.set(this.#descriptions.bytes.subarray(0, described));
    raw.set(this.#planes.bytes.subarray(0, this.#planes.length), described);
    const packed = this.#codec.compress(raw);
    const noise = this.#noise.bytes.subarray(0, this.#noise.length);
    const bytes = new Uint8Array(BLOCK_HEADER_BYTES + packed.length + noise.length);
    bytes.set(packed, BLOCK_HEADER_BYTES);
    bytes.set(noise, BLOCK_HEADER_BYTES + packed.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(AT.magic, BLOCK_MAGIC, true);
    bytes[AT.codec] = this.#codec.id;
    bytes[AT.flags] = this.#selection.tailBytes > 0 ? FLAG_TAILS : 0;
    view.setUint32(AT.count, this.#selection.count, true);
    view.setUint32(AT.recordBytes, this.#selection.rawBytes, true);
    view.setUint32(AT.packed, packed.length, true);
    view.setUint32(AT.unpacked, raw.length, true);
    view.setUint32(AT.noise, noise.length, true);
    view.setUint32(AT.descriptions, described, true);
    view.setUint32(AT.crc, crc32c(bytes, BLOCK_HEADER_BYTES), true);
    view.setUint32(AT.headerCrc, crc32c(bytes, 0, AT.headerCrc), true);
    return bytes;
  }
}
