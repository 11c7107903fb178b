/**
 * A ring buffer as the kernel's source says it behaves, for sequences of helper calls and reads: a list
 * of records and arithmetic on their sizes, no memory.
 */

const HEADER_BYTES = 8;

export interface ModelRecord {
  readonly position: number;
  readonly length: number;
  /** What the producer wrote into every byte. */
  readonly fill: number;
  state: "busy" | "committed" | "discarded";
}

export interface Delivered {
  readonly length: number;
  readonly fill: number;
}

export type Wakeup = "default" | "none" | "force";

export class RingModel {
  readonly sizeBytes: number;
  /** Records from the consumer position on. */
  readonly records: ModelRecord[] = [];
  consumer = 0;
  producer = 0;
  wakeups = 0;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }

  /** The reserved record, or undefined where there is no room. */
  reserve(length: number, fill: number): ModelRecord | undefined {
    const end = this.producer + span(length);
    // The reader stops at a busy record, so nothing before the consumer position is in use. One byte
    // always stays free.
    if (end - this.consumer > this.sizeBytes - 1) return undefined;
    const record: ModelRecord = { position: this.producer, length, fill, state: "busy" };
    this.producer = end;
    this.records.push(record);
    return record;
  }

  commit(record: ModelRecord, discard: boolean, wakeup: Wakeup): void {
    record.state = discard ? "discarded" : "committed";
    const caughtUp = record.position % this.sizeBytes === this.consumer % this.sizeBytes;
    if (wakeup === "force" || (wakeup === "default" && caughtUp)) this.wakeups++;
  }

  output(length: number, fill: number, wakeup: Wakeup): boolean {
    const record = this.reserve(length, fill);
    if (record !== undefined) this.commit(record, false, wakeup);
    return record !== undefined;
  }

  /** What a reader gets that takes at most `room` records, and frees what it went over. */
  consume(room: number): Delivered[] {
    const delivered: Delivered[] = [];
    while (delivered.length < room) {
      const record = this.records[0];
      if (record === undefined || record.state === "busy") break;
      this.records.shift();
      this.consumer = record.position + span(record.length);
      if (record.state === "committed") {
        delivered.push({ length: record.length, fill: record.fill });
      }
    }
    return delivered;
  }

  get available(): number {
    return this.producer - this.consumer;
  }
}

function span(length: number): number {
  return Math.ceil((length + HEADER_BYTES) / 8) * 8;
}
