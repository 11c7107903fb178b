/**
 * User space's half of the books: what arrived, by program, CPU and event type, and which sequence
 * numbers did not. Fixed arrays; counting allocates nothing.
 */

export class DeliveryLedger {
  readonly #programs: number;
  readonly #cpus: number;
  readonly #received: Float64Array;
  readonly #delivered: Float64Array;
  readonly #rejected: Float64Array;
  readonly #lastSequence: Float64Array;
  readonly #missing: Float64Array;
  readonly #byType = new Float64Array(256);
  readonly #lost = new Map<string, Float64Array>();

  constructor(programs: number, cpus: number) {
    this.#programs = programs;
    this.#cpus = cpus;
    const slots = programs * cpus;
    this.#received = new Float64Array(slots);
    this.#delivered = new Float64Array(slots);
    this.#rejected = new Float64Array(slots);
    this.#lastSequence = new Float64Array(slots);
    this.#missing = new Float64Array(slots);
  }

  /** Whether a record's program and CPU are ones that this ledger keeps. */
  covers(program: number, cpu: number, type: number): boolean {
    return program < this.#programs && cpu < this.#cpus && type < this.#byType.length;
  }

  /** A record came out of the ring. A jump in `sequence` says how many before it were lost. */
  receive(program: number, cpu: number, sequence: number): void {
    const slot = program * this.#cpus + cpu;
    this.#received[slot]! += 1;
    const gap = sequence - this.#lastSequence[slot]! - 1;
    if (gap > 0) this.#missing[slot]! += gap;
    if (sequence > this.#lastSequence[slot]!) this.#lastSequence[slot] = sequence;
  }

  /** Every sink accepted the record. */
  deliver(program: number, cpu: number, type: number): void {
    this.#delivered[program * this.#cpus + cpu]! += 1;
    this.#byType[type]! += 1;
  }

  /** Events that every sink had accepted, and that were lost on their way further. */
  lose(program: number, cpu: number, reason: string, count: number): void {
    const slot = program * this.#cpus + cpu;
    const row = this.#lost.get(reason) ?? new Float64Array(this.#delivered.length);
    row[slot]! += count;
    this.#lost.set(reason, row);
  }

  /** Losses after acceptance, by reason. */
  lost(program: number, cpu: number): Readonly<Record<string, number>> {
    const slot = program * this.#cpus + cpu;
    return Object.fromEntries(
      [...this.#lost].flatMap(([reason, row]) =>
        row[slot]! > 0 ? [[reason, row[slot]!] as const] : [],
      ),
    );
  }

  /** The record was no event of its collector; nobody gets it. */
  reject(program: number, cpu: number): void {
    this.#rejected[program * this.#cpus + cpu]! += 1;
  }

  received(program: number, cpu: number): number {
    return this.#received[program * this.#cpus + cpu] ?? 0;
  }

  delivered(program: number, cpu: number): number {
    return this.#delivered[program * this.#cpus + cpu] ?? 0;
  }

  rejected(program: number, cpu: number): number {
    return this.#rejected[program * this.#cpus + cpu] ?? 0;
  }

  /** Sequence numbers that were skipped: events lost before the ring. */
  missing(program: number, cpu: number): number {
    return this.#missing[program * this.#cpus + cpu] ?? 0;
  }

  deliveredOfType(type: number): number {
    return this.#byType[type] ?? 0;
  }
}
