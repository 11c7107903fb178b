/**
 * How to read a collector's records: readers for the header fields that every record needs, and one
 * decoder for each event type, all built from the object's BTF.
 */
import type { Btf } from "../btf/btf.ts";
import { type Codec, createCodec } from "../btf/codec.ts";
import { enumeratorValue } from "../btf/enumerators.ts";
import { fieldReader, type NumberReader } from "../btf/fields.ts";
import { layoutOf } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError } from "../errors.ts";
import type { CollectorSpec, EventSpec } from "./collectors.ts";

/** Fields of `struct event_header` that the pipeline reads of every record. */
export interface HeaderReaders {
  readonly timestamp_ns: NumberReader;
  readonly sequence: NumberReader;
  readonly length: NumberReader;
  readonly type: NumberReader;
  readonly cpu: NumberReader;
  readonly program: NumberReader;
}

export interface EventType {
  readonly spec: EventSpec;
  /** Value of the header's `type`. */
  readonly number: number;
  /** Bytes of the record. */
  readonly size: number;
  readonly codec: Codec;
}

export interface EventSchema {
  /** Types of the collector's object. */
  readonly btf: Btf;
  readonly collector: CollectorSpec;
  readonly headerSize: number;
  readonly header: HeaderReaders;
  /** By value of the header's `type`. */
  readonly types: ReadonlyMap<number, EventType>;
}

function structId(btf: Btf, name: string, collector: string): number {
  const id = findType(btf, name, "struct");
  if (id !== undefined) return id;
  throw new BpfError(`collector ${collector}`, `its object declares no struct ${name}`, {
    hint: "rebuild the object with -g from the sources of this version",
  });
}

/** Throws `BpfError` where the object lacks a type that the collector names. */
export function createEventSchema(btf: Btf, collector: CollectorSpec): EventSchema {
  const layout = layoutOf(btf, structId(btf, "event_header", collector.name));
  const types = new Map<number, EventType>();
  for (const spec of collector.events) {
    const number = Number(enumeratorValue(btf, spec.type));
    const codec = createCodec(btf, structId(btf, spec.struct, collector.name));
    types.set(number, { spec, number, size: codec.size, codec });
  }
  return {
    btf,
    collector,
    headerSize: layout.size,
    header: {
      timestamp_ns: fieldReader(layout, "timestamp_ns"),
      sequence: fieldReader(layout, "sequence"),
      length: fieldReader(layout, "length"),
      type: fieldReader(layout, "type"),
      cpu: fieldReader(layout, "cpu"),
      program: fieldReader(layout, "program"),
    },
    types,
  };
}
