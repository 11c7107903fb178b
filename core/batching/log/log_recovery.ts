/** What a log's folder holds when a process comes to it. */
import { crc32c } from "../../trace/crc32c.ts";
import { Consumer, LogIndex } from "./log_index.ts";
import { type LogStorage, readFully } from "./log_storage.ts";
import { type Positions, readPositions } from "./positions.ts";
import { Segment } from "./segment.ts";
import { parseSegmentName, segmentName } from "./segment_format.ts";
import { type ScannedSegment, scanSegment } from "./segment_scan.ts";

export interface RecoveredLog {
  /** By id, oldest first. */
  readonly segments: Segment[];
  readonly index: LogIndex<Segment>;
  /** The log's headers that records were written with, by their CRC-32C. */
  readonly headers: Map<number, Uint8Array>;
  readonly nextSegment: number;
  readonly nextSequence: number;
  /** Batches that are known to be missing, and at least one for every place that cannot be read. */
  readonly corrupt: number;
}

interface Found {
  readonly segment: Segment;
  readonly scan: ScannedSegment;
  readonly first: number;
}

/** Rejects where the folder or a segment cannot be read at all. */
export async function recoverLog(
  storage: LogStorage,
  header: Uint8Array,
  consumers: readonly string[] | undefined,
): Promise<RecoveredLog> {
  const positions = await readPositions(storage);
  const found = await scanSegments(storage);
  const headers = new Map([[crc32c(header), header]]);
  for (const { scan } of found) {
    if (scan.header !== undefined)
      headers.set(crc32c(scan.header.logHeader), scan.header.logHeader);
  }
  const index = indexOf(found, headers);
  const nextSequence = Math.max(
    positions?.nextSequence ?? 1,
    ...Object.values(positions?.acknowledged ?? {}).map((position) => position + 1),
    ...found.map(({ first }) => first),
    ...found.map(({ scan }) => scan.next ?? 1),
    (index.last?.sequence ?? 0) + 1,
  );
  const corrupt = countMissing(found, index, nextSequence);
  addConsumers(index, positions, consumers);
  index.release();
  const newest = found.at(-1)?.segment.id ?? 0;
  return {
    segments: found.map(({ segment }) => segment),
    index,
    headers,
    nextSegment: Math.max(newest + 1, positions?.nextSegment ?? 1),
    nextSequence,
    corrupt,
  };
}

async function scanSegments(storage: LogStorage): Promise<Found[]> {
  const named = (await storage.list()).flatMap((name) => {
    const parsed = parseSegmentName(name);
    return parsed === undefined || segmentName(parsed.id, parsed.first) !== name
      ? []
      : [{ ...parsed, name }];
  });
  named.sort((left, right) => left.id - right.id);
  const found: Found[] = [];
  for (const { id, first, name } of named) {
    const file = await storage.open(name);
    const segment = new Segment(id, name, file, file.size);
    const scan = scanSegment(await readFully(file, file.size, 0));
    segment.sealed = scan.next !== undefined;
    found.push({ segment, first, scan });
  }
  return found;
}

/** Whether what older segments hold from its first sequence on is void: all that it took over is there. */
function supersedes({ scan, segment }: Found): boolean {
  if (scan.header === undefined) return false;
  const takenOver = scan.records.filter((record) => record.segment !== segment.id);
  return takenOver.length >= scan.header.rewritten;
}

function indexOf(found: readonly Found[], headers: Map<number, Uint8Array>): LogIndex<Segment> {
  const records = new Map<number, { record: ScannedSegment["records"][number]; from: Segment }>();
  for (const each of found) {
    if (supersedes(each)) {
      for (const sequence of records.keys()) if (sequence >= each.first) records.delete(sequence);
    }
    for (const record of each.scan.records) {
      records.set(record.sequence, { record, from: each.segment });
    }
  }
  const index = new LogIndex<Segment>();
  for (const sequence of [...records.keys()].sort((left, right) => left - right)) {
    const { record, from } = records.get(sequence)!;
    // Nobody could decode it; it counts as missing.
    if (!headers.has(record.schema)) continue;
    const { segment: keySegment, count, length, schema, at } = record;
    const place = { segment: from, at, gone: false };
    index.append({ sequence, keySegment, count, length, schema, ...place });
  }
  return index;
}

function countMissing(
  found: readonly Found[],
  index: LogIndex<Segment>,
  nextSequence: number,
): number {
  if (found.length === 0) return 0;
  // An abandoned segment may be older than what was rewritten of it.
  let expected = Math.min(...found.map(({ first }) => first));
  let missing = 0;
  for (const { sequence } of index.since(0)) {
    missing += sequence - expected;
    expected = sequence + 1;
  }
  missing += nextSequence - expected;
  // A torn end that another segment follows was given up by a log that knew.
  const damaged = found.some(({ scan }, i) => scan.damaged && !(scan.torn && i < found.length - 1));
  return missing === 0 && damaged ? 1 : missing;
}

/** Consumers that are not named are forgotten: they would keep the log from ever being deleted. */
function addConsumers(
  index: LogIndex<Segment>,
  positions: Positions | undefined,
  names: readonly string[] | undefined,
): void {
  const known = positions?.acknowledged ?? {};
  for (const name of names ?? Object.keys(known)) {
    index.consumers.set(name, new Consumer(name, known[name] ?? 0));
  }
}
