/**
 * The log's segments on disk: the newest is written to, the others wait to be deleted. Its methods must
 * not run at the same time as each other.
 */
import type { LogEntry, LogIndex } from "./log_index.ts";
import type { CompleteLogOptions } from "./log_options.ts";
import type { RecoveredLog } from "./log_recovery.ts";
import { readFully } from "./log_storage.ts";
import { writePositions } from "./positions.ts";
import { Segment, type SegmentRecord } from "./segment.ts";
import { RECORD_HEADER_BYTES, segmentHeaderBytes } from "./segment_format.ts";

type Acknowledged = Readonly<Record<string, number>>;

/** Failures of new segments in a row that are answered by a new one at once. */
const QUICK_RETRIES = 2;

export class SegmentStore {
  problem = "";
  failed = false;
  nextSequence: number;
  unsyncedBytes = 0;
  /** Payloads that are not yet synced, by sequence; policy `group` only. */
  readonly retained = new Map<number, Uint8Array>();
  readonly #options: CompleteLogOptions;
  readonly #index: LogIndex<Segment>;
  /** By id; all but the one that is written to. */
  readonly #segments: Segment[];
  #active: Segment | undefined;
  #nextSegment: number;
  /** The first sequence that no sync has covered. */
  #unsyncedFrom: number | undefined;
  /** Finished without a sync: policy `never`. */
  #dirty: Segment[] = [];
  #savedPositions = "";
  #retryAt_ms = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;
  readonly #counts = {
    syncs: 0,
    sync_failures: 0,
    write_failures: 0,
    segments_abandoned: 0,
    segments_deleted: 0,
    batches_dropped: 0,
    events_dropped: 0,
  };

  constructor(options: CompleteLogOptions, recovered: RecoveredLog) {
    this.#options = options;
    this.#index = recovered.index;
    this.#segments = recovered.segments;
    this.#nextSegment = recovered.nextSegment;
    this.nextSequence = recovered.nextSequence;
    // What a killed process wrote is there to be read, but perhaps not yet on the medium.
    this.#dirty = recovered.segments.filter(({ live }) => live > 0);
    if (this.#dirty.length > 0) this.#unsyncedFrom = recovered.index.first!.sequence;
    if (options.sync === "never") return;
    // A sync of what has no seal may have failed already, and would now only seem to succeed.
    const unsealed = recovered.index.since(0).find(({ segment }) => !segment.sealed);
    if (unsealed === undefined) return;
    this.#unsyncedFrom = unsealed.sequence;
    this.failed = true;
  }

  /** On disk now. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, this.#active?.bytes ?? 0);
  }

  /** Header and seal of a segment. */
  get overhead(): number {
    return segmentHeaderBytes(this.#options.header) + RECORD_HEADER_BYTES;
  }

  /** What records may take: another segment can always be begun. */
  get limit(): number {
    return this.#options.max_bytes - 2 * this.overhead;
  }

  get onlyActive(): boolean {
    return this.#segments.length === 0;
  }

  /** It holds records, and every consumer has acknowledged them. */
  get activeIsDone(): boolean {
    return this.#active !== undefined && this.#active.records > 0 && this.#active.live === 0;
  }

  get activeHasRecords(): boolean {
    return (this.#active?.records ?? 0) > 0;
  }

  get canDelete(): boolean {
    return this.#deletable().length > 0;
  }

  /** Without a segment to write to, the newest stays: its name says where numbers go on. */
  #deletable(): Segment[] {
    const newest = this.#active ?? this.#segments.at(-1);
    return this.#segments.filter((segment) => segment.live === 0 && segment !== newest);
  }

  /** Whether a record of this size goes to the segment that is written to; a first one always does. */
  fits(bytes: number): boolean {
    const active = this.#active;
    if (active === undefined) return false;
    const end = active.bytes + bytes + RECORD_HEADER_BYTES;
    return active.records === 0 || end <= this.#options.segment_bytes;
  }

  /** Bytes that may follow in the segment that is written to; at least `needed`, which fits. */
  room(needed: number): number {
    const left = this.#options.segment_bytes - this.#active!.bytes - RECORD_HEADER_BYTES;
    return Math.max(needed, Math.min(left, this.limit - this.bytes));
  }

  counters() {
    const segments = this.#segments.length + (this.#active === undefined ? 0 : 1);
    return { ...this.#counts, bytes: this.bytes, segments };
  }

  /** Whether there is a segment to write to; begins one where it is time to try. */
  async ready(): Promise<boolean> {
    if (this.#active !== undefined) return true;
    if (this.#options.clock.now_ms() < this.#retryAt_ms) return false;
    return await this.#begin();
  }

  /** Finishes the segment that is written to, and begins another. */
  async roll(): Promise<boolean> {
    const active = this.#active!;
    try {
      await active.seal(this.nextSequence);
    } catch (error) {
      await this.#abandonWritten(error);
      return await this.ready();
    }
    if (this.#options.sync === "never") this.#dirty.push(active);
    else if (!(await this.#syncFile(active))) return await this.ready();
    else this.#synced();
    this.#segments.push(active);
    this.#active = undefined;
    return await this.#begin();
  }

  /** A new segment that starts with everything that no sync has covered. */
  async #begin(): Promise<boolean> {
    const { storage, header, sync, clock, retry_ms } = this.#options;
    // What policy `never` left unsynced is in files that did not fail.
    const moves = this.failed && this.#unsyncedFrom !== undefined;
    const entries = moves ? this.#index.since(this.#unsyncedFrom!) : [];
    const id = this.#nextSegment++;
    let segment: Segment | undefined;
    try {
      const records = await this.#recordsOf(entries);
      const first = entries[0]?.sequence ?? this.nextSequence;
      const created = await Segment.create(storage, id, first, header, records);
      segment = created.segment;
      if (sync !== "never" || moves) {
        await segment.file.sync();
        await storage.syncFolder();
      }
      for (const [i, entry] of entries.entries()) {
        this.#index.move(entry, segment, created.places[i]!);
      }
    } catch (error) {
      this.#counts.write_failures++;
      this.failed = true;
      this.problem = `begin a segment: ${(error as Error).message}`;
      this.#retryAt_ms = clock.now_ms() + retry_ms;
      if (segment !== undefined) await this.#discard(segment);
      return false;
    }
    if (moves) this.#synced();
    this.#active = segment;
    this.failed = false;
    this.problem = "";
    return true;
  }

  async #recordsOf(entries: readonly LogEntry<Segment>[]): Promise<SegmentRecord[]> {
    const records: SegmentRecord[] = [];
    for (const entry of entries) {
      const { count, keySegment, sequence, schema, length, at, segment } = entry;
      const payload = this.retained.get(sequence) ?? (await readFully(segment.file, length, at));
      records.push({ count, keySegment, sequence, schema, payload });
    }
    return records;
  }

  /** Of a file that holds nothing that counts. */
  async #discard(segment: Segment): Promise<void> {
    await this.#options.storage.remove(segment.name).catch(() => this.#segments.push(segment));
    if (!this.#segments.includes(segment)) await segment.file.close().catch(() => {});
  }

  #synced(): void {
    this.#unsyncedFrom = undefined;
    this.unsyncedBytes = 0;
    this.retained.clear();
    this.#dirty = [];
  }

  /** False: its pages may be gone, though marked clean. No second sync is ever asked of it. */
  async #syncFile(segment: Segment): Promise<boolean> {
    try {
      await segment.file.sync();
      this.#counts.syncs++;
      return true;
    } catch (error) {
      this.#counts.sync_failures++;
      await this.#abandon(`sync: ${(error as Error).message}`);
      return false;
    }
  }

  /** After a write failed what was written before may yet be made durable. */
  async #abandonWritten(error: unknown): Promise<void> {
    this.#counts.write_failures++;
    const problem = `write: ${(error as Error).message}`;
    if (this.#unsyncedFrom !== undefined && this.#dirty.length === 0) {
      if (!(await this.#syncFile(this.#active!))) return;
      this.#synced();
    }
    await this.#abandon(problem);
  }

  async #abandon(problem: string): Promise<void> {
    const active = this.#active;
    const { clock, retry_ms } = this.#options;
    this.#counts.segments_abandoned++;
    this.#active = undefined;
    this.failed = true;
    this.problem = problem;
    const quick = ++this.#failuresInARow <= QUICK_RETRIES;
    this.#retryAt_ms = quick ? Number.NEGATIVE_INFINITY : clock.now_ms() + retry_ms;
    if (active === undefined) return;
    if (active.records === 0) await this.#discard(active);
    else this.#segments.push(active);
  }

  /**
   * Appends to the segment that is written to. Undefined where that failed: nothing was accepted, and
   * `ready` says how it goes on.
   */
  async append(
    batches: readonly { readonly payload: Uint8Array; readonly count: number }[],
    schema: number,
  ): Promise<readonly LogEntry<Segment>[] | undefined> {
    const { sync } = this.#options;
    const active = this.#active!;
    const first = this.nextSequence;
    const records = batches.map(({ payload, count }, i) => {
      return { payload, count, schema, keySegment: active.id, sequence: first + i };
    });
    let places: number[];
    try {
      places = await active.append(records);
    } catch (error) {
      await this.#abandonWritten(error);
      return undefined;
    }
    if (sync === "always" && !(await this.#syncFile(active))) return undefined;
    this.#failuresInARow = 0;
    this.nextSequence += records.length;
    if (sync !== "always") this.#unsyncedFrom ??= first;
    return records.map((record, i) => this.#enter(record, active, places[i]!));
  }

  #enter(record: SegmentRecord, segment: Segment, at: number): LogEntry<Segment> {
    const { payload, sequence, keySegment, count, schema } = record;
    if (this.#options.sync === "group") {
      this.retained.set(sequence, payload);
      this.unsyncedBytes += payload.length;
    }
    const place = { segment, at, gone: false };
    const entry = { sequence, keySegment, count, length: payload.length, schema, ...place };
    this.#index.append(entry);
    return entry;
  }

  /** False where not everything is durable. */
  async sync(): Promise<boolean> {
    if (this.failed) return await this.ready();
    if (this.#unsyncedFrom === undefined) return true;
    const names = this.#options.sync === "never" || this.#dirty.length > 0;
    for (const segment of this.#active ? [...this.#dirty, this.#active] : this.#dirty) {
      if (!(await this.#syncFile(segment))) return await this.ready();
    }
    // A killed process, or policy `never`, left the names of segments to the kernel, too.
    if (names && !(await this.#syncNames())) return await this.ready();
    this.#synced();
    return true;
  }

  async #syncNames(): Promise<boolean> {
    try {
      await this.#options.storage.syncFolder();
      return true;
    } catch (error) {
      this.#counts.sync_failures++;
      await this.#abandon(`sync the folder: ${(error as Error).message}`);
      return false;
    }
  }

  /** Deletes finished segments that nobody needs. Returns whether there were any. */
  async collect(acknowledged: Acknowledged): Promise<boolean> {
    if (!this.canDelete) return false;
    // What an older segment still holds of these must be known as acknowledged.
    if (!(await this.savePositions(acknowledged))) return false;
    let deleted = 0;
    for (const segment of this.#deletable()) {
      try {
        await this.#options.storage.remove(segment.name);
      } catch {
        this.#counts.write_failures++;
        break;
      }
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      this.#dirty = this.#dirty.filter((each) => each !== segment);
      await segment.file.close().catch(() => {});
      deleted++;
    }
    this.#counts.segments_deleted += deleted;
    return deleted > 0;
  }

  /** Gives up the oldest finished segment; false where there is none. */
  dropOldest(): boolean {
    const oldest = this.#index.first?.segment;
    if (oldest === undefined || oldest === this.#active) return false;
    const inside = this.#index.since(0).filter(({ segment }) => segment === oldest);
    const last = inside.at(-1);
    if (last === undefined) return false;
    for (const { count } of this.#index.dropThrough(last.sequence)) {
      this.#counts.batches_dropped++;
      this.#counts.events_dropped += count;
    }
    return true;
  }

  /** False where the disk did not take them: then nothing may be deleted on their account. */
  async savePositions(acknowledged: Acknowledged): Promise<boolean> {
    const { storage, sync } = this.#options;
    const positions = {
      nextSegment: this.#nextSegment,
      nextSequence: this.nextSequence,
      acknowledged,
    };
    const text = JSON.stringify(positions);
    if (text === this.#savedPositions) return true;
    try {
      await writePositions(storage, positions, sync !== "never");
      this.#savedPositions = text;
      return true;
    } catch {
      this.#counts.write_failures++;
      return false;
    }
  }

  /** Makes durable what can be, and lets go of the files. */
  async close(acknowledged: Acknowledged): Promise<void> {
    this.#retryAt_ms = Number.NEGATIVE_INFINITY;
    if (this.failed && this.#unsyncedFrom !== undefined) await this.ready();
    if (this.#active !== undefined && this.#active.records > 0) await this.#finish(this.#active);
    else await this.sync();
    await this.savePositions(acknowledged);
    for (const { file } of this.#segments) await file.close().catch(() => {});
    await this.#active?.file.close().catch(() => {});
  }

  async #finish(active: Segment): Promise<void> {
    try {
      await active.seal(this.nextSequence);
    } catch (error) {
      await this.#abandonWritten(error);
      if (this.#unsyncedFrom !== undefined) await this.ready();
      return;
    }
    this.#unsyncedFrom ??= this.nextSequence;
    await this.sync();
  }
}
