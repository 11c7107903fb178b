/** A segment's file, and what is done to it. */

import type { IndexedSegment } from "./log_index.ts";
import { type LogFile, type LogStorage, writeAll } from "./log_storage.ts";
import {
  encodeRecordHeader,
  encodeSegmentHeader,
  RECORD_HEADER_BYTES,
  segmentName,
} from "./segment_format.ts";

export interface SegmentRecord {
  readonly count: number;
  readonly keySegment: number;
  readonly sequence: number;
  readonly schema: number;
  readonly payload: Uint8Array;
}

export class Segment implements IndexedSegment {
  readonly id: number;
  readonly name: string;
  readonly file: LogFile;
  /** On disk, as far as is known. */
  bytes: number;
  live = 0;
  /** Written records, in all. */
  records = 0;
  /** Its last byte was found to be that of a seal. */
  sealed = false;

  constructor(id: number, name: string, file: LogFile, bytes: number) {
    this.id = id;
    this.name = name;
    this.file = file;
    this.bytes = bytes;
  }

  /**
   * A new file that holds its header and `rewritten`. Where that fails the file may be left behind,
   * in part; readers can tell.
   */
  static async create(
    storage: LogStorage,
    id: number,
    first: number,
    logHeader: Uint8Array,
    rewritten: readonly SegmentRecord[],
  ): Promise<{ readonly segment: Segment; readonly places: readonly number[] }> {
    const name = segmentName(id, first);
    const file = await storage.create(name);
    const segment = new Segment(id, name, file, 0);
    try {
      const header = { id, first, rewritten: rewritten.length, logHeader };
      await segment.#write(encodeSegmentHeader(header));
      const places = rewritten.length === 0 ? [] : await segment.append(rewritten);
      return { segment, places };
    } catch (error) {
      await file.close().catch(() => {});
      await storage.remove(name).catch(() => {});
      throw error;
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await writeAll(this.file, bytes, this.bytes);
    this.bytes += bytes.length;
  }

  /** Writes records at the end; returns where their payloads begin. */
  async append(records: readonly SegmentRecord[]): Promise<number[]> {
    let length = 0;
    for (const { payload } of records) length += RECORD_HEADER_BYTES + payload.length;
    const bytes = new Uint8Array(length);
    const places: number[] = [];
    let at = 0;
    for (const { payload, count, keySegment, sequence, schema } of records) {
      const header = { kind: "record", count, segment: keySegment, sequence, schema } as const;
      encodeRecordHeader(bytes, at, header, payload);
      at += RECORD_HEADER_BYTES;
      bytes.set(payload, at);
      places.push(this.bytes + at);
      at += payload.length;
    }
    await this.#write(bytes);
    this.records += records.length;
    return places;
  }

  /** Says that `next` is the sequence after its last record, so that a lost end shows. */
  async seal(next: number): Promise<void> {
    const bytes = new Uint8Array(RECORD_HEADER_BYTES);
    const header = { kind: "seal", count: 0, segment: this.id, sequence: next, schema: 0 } as const;
    encodeRecordHeader(bytes, 0, header, new Uint8Array(0));
    await this.#write(bytes);
  }
}
