/**
 * Fixed-size samples of delivered events, one for each event type and epoch of the sampling rules: those with the largest R.
 * Which these are does not depend on the order of events, so the sample of all CPUs is the one that merging theirs would give.
 */
import type { RecordBatch } from "../backend.ts";
import { fieldReaderPair, type ReaderPair } from "../btf/fields.ts";
import { layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { type EventObject, eventObject } from "../events/event_json.ts";
import type { EventSchema } from "../events/event_schema.ts";
import { BottomK } from "./selection/bottom_k.ts";
import { requireSampleSize } from "./selection/sample_size.ts";
import { rateFromThreshold, thresholdOfWord } from "./threshold.ts";

/** Epochs of a type whose samples are kept; older ones go. */
export const RESERVOIR_EPOCHS_MAX = 4;

export interface EventReservoir {
  readonly event_type: string;
  /** Epoch of the rules, from 0 to 255, around and around. */
  readonly epoch: number;
  /** Events that the sample was drawn from. */
  readonly delivered: number;
  /** The sample, the largest R first. Each stands for `weight` events that reached sampling, delivered or not. */
  readonly events: readonly { readonly weight: number; readonly event: EventObject }[];
}

interface Reservoir {
  readonly sample: BottomK<EventObject>;
  delivered: number;
}

/** Of one event type, by epoch: the oldest first. */
type Reservoirs = Map<number, Reservoir>;

interface Reader {
  readonly word: ReaderPair;
  readonly randomness: ReaderPair;
  /** By the header's number of the type. */
  readonly types: readonly (
    | { readonly size: number; readonly reservoirs: Reservoirs }
    | undefined
  )[];
}

export class EventReservoirs {
  readonly #size: number;
  readonly #readers = new Map<EventSchema, Reader>();
  readonly #byType = new Map<string, Reservoirs>();

  /** Throws `BpfError` EINVAL unless `size` is a whole number from 1. */
  constructor(size: number) {
    requireSampleSize(size);
    this.#size = size;
  }

  read(batch: RecordBatch, schema: EventSchema): void {
    const { word, randomness, types } = this.#readers.get(schema) ?? this.#open(schema);
    const { view } = batch;
    for (let i = 0; i < batch.count; i++) {
      if (batch.lengths[i]! < schema.headerSize) continue;
      const at = batch.offsets[i]!;
      const type = types[schema.header.type(view, at)];
      // Records that are none of this collector's events are counted as malformed elsewhere.
      if (type === undefined || batch.lengths[i]! < type.size) continue;
      const reservoir = this.#reservoir(type.reservoirs, word.high(view, at) >>> 24);
      reservoir.delivered += 1;
      // R has 56 bits: the upper 32 of them, and the other 24.
      const upper = randomness.high(view, at);
      const lower = randomness.low(view, at);
      const high = ((upper << 8) | (lower >>> 24)) >>> 0;
      const low = lower & 0xffffff;
      if (!reservoir.sample.admits(high, low)) continue;
      reservoir.sample.offer(high, low, eventObject(batch, i, schema)!);
    }
  }

  #open(schema: EventSchema): Reader {
    const layout = layoutOf(schema.btf, findType(schema.btf, "event_header", "struct")!);
    const types: Reader["types"][number][] = [];
    for (const [number, { spec, size }] of schema.types) {
      const reservoirs = this.#byType.get(spec.name) ?? new Map<number, Reservoir>();
      this.#byType.set(spec.name, reservoirs);
      types[number] = { size, reservoirs };
    }
    const reader = {
      word: fieldReaderPair(layout, "sampling"),
      randomness: fieldReaderPair(layout, "randomness"),
      types,
    };
    this.#readers.set(schema, reader);
    return reader;
  }

  #reservoir(reservoirs: Reservoirs, epoch: number): Reservoir {
    const known = reservoirs.get(epoch);
    if (known !== undefined) return known;
    const created = { sample: new BottomK<EventObject>(this.#size), delivered: 0 };
    reservoirs.set(epoch, created);
    if (reservoirs.size > RESERVOIR_EPOCHS_MAX) reservoirs.delete(reservoirs.keys().next().value!);
    return created;
  }

  /** The samples as they are now, the oldest epoch of a type first. */
  samples(): EventReservoir[] {
    return [...this.#byType].flatMap(([event_type, reservoirs]) =>
      [...reservoirs].map(([epoch, { sample, delivered }]) => {
        const common = sample.threshold();
        const events = sample.sample().map(({ item }) => ({
          weight: 1 / rateFromThreshold(larger(common, thresholdOf(item))),
          event: item,
        }));
        return { event_type, epoch, delivered, events };
      }),
    );
  }
}

const larger = (left: bigint, right: bigint): bigint => (left > right ? left : right);

/** T that the event met when it was kept. */
const thresholdOf = (event: EventObject): bigint =>
  thresholdOfWord(BigInt(event["sampling"] as string));
