/** Which batches are in the log, where they lie, and how far each consumer is with them. */

/** A segment's file as the index sees it. */
export interface IndexedSegment {
  readonly id: number;
  /** Entries of the index that lie in it. */
  live: number;
}

export interface LogEntry<S extends IndexedSegment> {
  readonly sequence: number;
  /** Half of the dedupe key; not where it lies. */
  readonly keySegment: number;
  readonly count: number;
  readonly length: number;
  readonly schema: number;
  /** Changes when the batch moves to another segment. */
  segment: S;
  /** Where its payload begins there. */
  at: number;
  /** No longer in the index. */
  gone: boolean;
}

export class Consumer {
  readonly name: string;
  /** Every batch up to this needs no sending again. */
  position: number;
  /** Acknowledged beyond `position`; at most as many as are under way. */
  readonly ahead = new Set<number>();
  constructor(name: string, position: number) {
    this.name = name;
    this.position = position;
  }
}

export class LogIndex<S extends IndexedSegment> {
  /** Ascending by sequence; sequences that cannot be read are missing. The first `#start` are gone. */
  #entries: LogEntry<S>[] = [];
  #start = 0;
  readonly consumers = new Map<string, Consumer>();

  get count(): number {
    return this.#entries.length - this.#start;
  }

  get first(): LogEntry<S> | undefined {
    return this.#entries[this.#start];
  }

  get last(): LogEntry<S> | undefined {
    return this.count === 0 ? undefined : this.#entries.at(-1);
  }

  append(entry: LogEntry<S>): void {
    this.#entries.push(entry);
    entry.segment.live++;
  }

  /** Where the first entry with at least this sequence stands. */
  #find(sequence: number): number {
    let low = this.#start;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first entry with at least this sequence. */
  from(sequence: number): LogEntry<S> | undefined {
    return this.#entries[this.#find(sequence)];
  }

  /** Entries from this sequence on, in order. */
  since(sequence: number): readonly LogEntry<S>[] {
    return this.#entries.slice(this.#find(sequence));
  }

  /** Entries that a consumer at `position` has not been past. */
  countAfter(position: number): number {
    return this.#entries.length - this.#find(position + 1);
  }

  move(entry: LogEntry<S>, segment: S, at: number): void {
    entry.segment.live--;
    segment.live++;
    entry.segment = segment;
    entry.at = at;
  }

  /** Takes out an entry that cannot be read. */
  remove(entry: LogEntry<S>): void {
    const at = this.#find(entry.sequence);
    if (this.#entries[at] !== entry) return;
    this.#entries.splice(at, 1);
    this.#leave(entry);
    for (const consumer of this.consumers.values()) this.#advance(consumer);
  }

  #leave(entry: LogEntry<S>): void {
    entry.gone = true;
    entry.segment.live--;
  }

  /** Takes out everything up to `sequence` and moves consumers past it. Returns what left. */
  dropThrough(sequence: number): readonly LogEntry<S>[] {
    const end = this.#find(sequence + 1);
    const left = this.#entries.slice(this.#start, end);
    for (const entry of left) this.#leave(entry);
    this.#start = end;
    for (const consumer of this.consumers.values()) {
      consumer.position = Math.max(consumer.position, sequence);
      for (const done of consumer.ahead) if (done <= consumer.position) consumer.ahead.delete(done);
      this.#advance(consumer);
    }
    this.#compact();
    return left;
  }

  /** False where it was acknowledged before. */
  acknowledge(consumer: Consumer, sequence: number): boolean {
    if (sequence <= consumer.position || consumer.ahead.has(sequence)) return false;
    consumer.ahead.add(sequence);
    this.#advance(consumer);
    return true;
  }

  /** Moves a position over all that is acknowledged or missing. */
  #advance(consumer: Consumer): void {
    for (;;) {
      const next = this.from(consumer.position + 1);
      if (next === undefined || !consumer.ahead.delete(next.sequence)) break;
      consumer.position = next.sequence;
    }
  }

  /** Takes out what every consumer has acknowledged. Without consumers nothing leaves. */
  release(): void {
    if (this.consumers.size === 0) return;
    let least = Number.POSITIVE_INFINITY;
    for (const { position } of this.consumers.values()) least = Math.min(least, position);
    const end = this.#find(least + 1);
    for (; this.#start < end; this.#start++) this.#leave(this.#entries[this.#start]!);
    this.#compact();
  }

  #compact(): void {
    if (this.#start < 1024 || 2 * this.#start < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#start);
    this.#start = 0;
  }
}
