/**
 * A ring buffer as programs fill it, over the ring's model: what every helper answers, what the ring
 * says of itself, what the reader gets. All records are committed when an operation ends.
 */

import { ERRNO } from "#core/errors.ts";
import { hex } from "./bytes.ts";
import { type ModelRecord, RingModel } from "./ring.ts";

const NO_SPACE = -1n;
const DYNPTR_BYTES_MAX = 0xffffff;
const STAMP_BYTES = 8;
/** Length of the older record of `output_in_submit` and `output_in_discard`. */
const OUTER_BYTES = 100;
const WAKEUP_FLAGS = 3;

export interface RingOperation {
  readonly kind:
    | "output"
    | "submit"
    | "discard"
    | "output_in_submit"
    | "output_in_discard"
    | "dynptr_submit"
    | "dynptr_discard"
    | "query"
    | "consume";
  readonly size: number;
  /** Of the output, the commit or the query. */
  readonly flags: number;
  /** Of the reservation. */
  readonly reserveFlags: number;
  /** Chooses the record's bytes. */
  readonly stamp: number;
  readonly cpu: number;
  /** Of `consume`: most records; undefined for all. */
  readonly max: number | undefined;
}

/** Expected answer of a program; an undefined value is not compared. */
export interface RingAnswer {
  readonly result: bigint;
  readonly value?: bigint;
}

/** A record's length, and its first bytes in hex: of a record that was only stamped, the stamp. */
export interface DeliveredRecord {
  readonly length: number;
  readonly start: string;
}

/** Bytes that `output` writes for a stamp. */
export function outputBytes(stamp: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (stamp * 31 + index * 7) & 0xff);
}

/** A stamp as a program writes it. */
function stampBytes(stamp: number): Uint8Array {
  const bytes = new Uint8Array(STAMP_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(stamp), true);
  return bytes;
}

export class ProgramRingModel {
  private readonly ring: RingModel;
  /** Known first bytes (hex) of the records that wait. */
  private readonly starts = new Map<ModelRecord, string>();

  constructor(size: number) {
    this.ring = new RingModel(size);
  }

  get availableBytes(): number {
    return this.ring.available;
  }

  /** What a program that does this must answer. */
  apply(operation: RingOperation): RingAnswer {
    const { kind, size, flags, stamp } = operation;
    switch (kind) {
      case "output":
        return { result: this.output(size, flags, stamp) };
      case "submit":
      case "discard": {
        const record = operation.reserveFlags === 0 && this.reserve(size, stampBytes(stamp));
        if (record) this.ring.commit(record, kind === "discard", "default");
        return { result: record ? 0n : NO_SPACE };
      }
      case "output_in_submit":
      case "output_in_discard": {
        const outer = this.reserve(OUTER_BYTES, stampBytes(stamp));
        const result = this.output(size, flags, stamp);
        if (outer !== undefined) this.ring.commit(outer, kind === "output_in_discard", "default");
        return { result, value: outer === undefined ? 0n : 1n };
      }
      case "dynptr_submit":
      case "dynptr_discard":
        return this.dynptr(operation);
      case "query":
        return { result: this.query(flags) };
      case "consume":
        throw new Error("consume is no operation of programs");
    }
  }

  /** What a reader that takes at most `max` records gets next. */
  consume(max: number): DeliveredRecord[] {
    const due = this.ring.records.filter(({ state }) => state === "committed").slice(0, max);
    this.ring.consume(max);
    return due.map((record) => ({ length: record.length, start: this.starts.get(record)! }));
  }

  private output(size: number, flags: number, stamp: number): bigint {
    if (flags > WAKEUP_FLAGS) return BigInt(-ERRNO.EINVAL);
    const record = this.reserve(size, outputBytes(stamp, size));
    if (record === undefined) return BigInt(-ERRNO.EAGAIN);
    this.ring.commit(record, false, "default");
    return 0n;
  }

  private dynptr({ kind, size, reserveFlags, stamp }: RingOperation): RingAnswer {
    // A dynptr without a record answers writes with EINVAL.
    const nothing = BigInt(-ERRNO.EINVAL);
    if (reserveFlags !== 0) return { result: nothing, value: nothing };
    if (size > DYNPTR_BYTES_MAX) return { result: BigInt(-ERRNO.E2BIG), value: nothing };
    const written = size >= STAMP_BYTES;
    const record = this.reserve(size, written ? stampBytes(stamp) : new Uint8Array(0));
    if (record === undefined) return { result: nothing, value: nothing };
    this.ring.commit(record, kind === "dynptr_discard", "default");
    return { result: 0n, value: written ? 0n : BigInt(-ERRNO.E2BIG) };
  }

  private reserve(length: number, start: Uint8Array): ModelRecord | undefined {
    const record = this.ring.reserve(length, 0);
    if (record !== undefined) this.starts.set(record, hex(start));
    return record;
  }

  private query(what: number): bigint {
    const { available, sizeBytes, consumer, producer } = this.ring;
    return BigInt([available, sizeBytes, consumer, producer][what] ?? 0);
  }
}
