/** Reads from delivered records what estimates need, and gives it to the estimates of their types. */
import type { RecordBatch } from "../backend.ts";
import { enumeratorValue } from "../btf/enumerators.ts";
import { fieldReader, fieldReaderPair, type NumberReader, type ReaderPair } from "../btf/fields.ts";
import { layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import type { EventSchema } from "../events/event_schema.ts";
import type { LiveEstimates } from "./live_estimates.ts";
import { rateFromHalves } from "./threshold.ts";

interface WatchedType {
  readonly size: number;
  readonly latency: NumberReader;
  readonly estimates: LiveEstimates;
}

export class LiveRecordReader {
  readonly #schema: EventSchema;
  readonly #word: ReaderPair;
  readonly #randomness: ReaderPair;
  readonly #flags: NumberReader;
  readonly #durationUnknown: number;
  /** By the header's number of the type. */
  readonly #types: readonly (WatchedType | undefined)[];

  /** `estimatesOf` finds the estimates of an event type by its name. */
  constructor(schema: EventSchema, estimatesOf: (name: string) => LiveEstimates) {
    const { btf } = schema;
    const layout = layoutOf(btf, findType(btf, "event_header", "struct")!);
    this.#schema = schema;
    this.#word = fieldReaderPair(layout, "sampling");
    this.#randomness = fieldReaderPair(layout, "randomness");
    this.#flags = fieldReader(layout, "flags");
    this.#durationUnknown = Number(enumeratorValue(btf, "EVENT_DURATION_UNKNOWN"));
    const types: (WatchedType | undefined)[] = [];
    for (const [number, { spec, size }] of schema.types) {
      const struct = layoutOf(btf, findType(btf, spec.struct, "struct")!);
      const latency = fieldReader(struct, spec.latency);
      types[number] = { size, latency, estimates: estimatesOf(spec.name) };
    }
    this.#types = types;
  }

  /** `ofConnections`: connections are kept as a whole, and R is theirs. */
  read(batch: RecordBatch, ofConnections: boolean): void {
    const { header, headerSize } = this.#schema;
    const { view } = batch;
    for (let i = 0; i < batch.count; i++) {
      const length = batch.lengths[i]!;
      if (length < headerSize) continue;
      const at = batch.offsets[i]!;
      const type = this.#types[header.type(view, at)];
      // Records that are none of this collector's events are counted as malformed elsewhere.
      if (type === undefined || length < type.size) continue;
      const pi = rateFromHalves(this.#word.low(view, at), this.#word.high(view, at));
      const isUnknown = (this.#flags(view, at) & this.#durationUnknown) !== 0;
      const latency_ns = isUnknown ? undefined : type.latency(view, at);
      const randomness = this.#upper53(view, at);
      if (ofConnections) type.estimates.addOfConnection(randomness, pi, latency_ns);
      else type.estimates.addSingle(randomness, pi, latency_ns);
    }
  }

  /** R without its last three bits: exact as a number. */
  #upper53(view: DataView, at: number): number {
    return this.#randomness.high(view, at) * 2 ** 29 + (this.#randomness.low(view, at) >>> 3);
  }
}
