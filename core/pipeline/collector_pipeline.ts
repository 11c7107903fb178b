/**
 * One collector from ring to sinks, with its books.
 */
import type { BpfMap, BpfObject, Program, RecordBatch, RingReader } from "../backend.ts";
import { enumeratorValue } from "../btf/enumerators.ts";
import { BpfError } from "../errors.ts";
import { type CollectorSpec, programOf } from "../events/collectors.ts";
import { createEventSchema, type EventSchema } from "../events/event_schema.ts";
import { addBooks, type Books, closeBooks, EMPTY_BOOKS } from "./books.ts";
import { DeliveryLedger } from "./delivery_ledger.ts";
import type { ProgramReading } from "./program_reading.ts";
import type { Sink } from "./sink.ts";
import { type CounterName, type ProgramCounters, StatisticsMap } from "./statistics_map.ts";

export interface ProgramBooks {
  readonly collector: string;
  readonly program: string;
  readonly cpu: number;
  readonly books: Books;
}

interface TrackedProgram {
  readonly name: string;
  readonly index: number;
  readonly program: Program;
}

function required<Value>(value: Value | undefined, what: string, collector: string): Value {
  if (value !== undefined) return value;
  throw new BpfError(`collector ${collector}`, `its object has no ${what}`, {
    hint: "rebuild the object from the sources of this version",
  });
}

/** Events that runs under way had seen by `later` and not given a fate by `earlier`. */
function unjudgedEvents(earlier: ProgramCounters, later: ProgramCounters): number {
  const { filter_misses, rate_limited, sampled_out, events_dropped, events_sent } = earlier;
  const fates = filter_misses + rate_limited + sampled_out + events_dropped + events_sent;
  const runs = later.invocations - earlier.completions;
  return Math.max(0, Math.min(later.events_seen - fates, runs));
}

/** Sums over CPUs. Of `last_update_ns`, a time and no count, the newest. */
function sumCounters(cpus: readonly ProgramCounters[]): Record<CounterName, number> {
  const total = { ...cpus[0]! } as Record<CounterName, number>;
  const names = Object.keys(total) as CounterName[];
  for (const counters of cpus.slice(1)) for (const name of names) total[name] += counters[name];
  total.last_update_ns = Math.max(...cpus.map(({ last_update_ns }) => last_update_ns));
  return total;
}

export class CollectorPipeline {
  readonly spec: CollectorSpec;
  readonly schema: EventSchema;
  readonly #ring: RingReader;
  readonly #statistics: StatisticsMap;
  readonly #programs: readonly TrackedProgram[];
  readonly #ledger: DeliveryLedger;
  readonly #sinks: readonly Sink[];
  readonly #cpus: number;
  #malformed = 0;
  #batches = 0;
  readonly #deliver = (batch: RecordBatch): void => this.#deliverBatch(batch);

  /** `object` is loaded; it stays the caller's to close, and so do the sinks. */
  constructor(spec: CollectorSpec, object: BpfObject, cpus: number, sinks: readonly Sink[]) {
    const map = (name: string): BpfMap => required(object.maps.get(name), `map ${name}`, spec.name);
    this.spec = spec;
    this.schema = createEventSchema(object.btf, spec);
    this.#ring = map(spec.ring).ring();
    this.#statistics = new StatisticsMap(map(spec.statistics), object.btf);
    this.#programs = spec.programs.map((program) => ({
      name: program.name,
      index: Number(enumeratorValue(object.btf, program.index)),
      program: required(programOf(object, program), `program ${program.name}`, spec.name),
    }));
    this.#cpus = cpus;
    this.#ledger = new DeliveryLedger(1 + Math.max(...this.#programs.map((p) => p.index)), cpus);
    this.#sinks = sinks;
  }

  /**
   * Records that did not look like one of this collector's. Those that name their program and CPU are
   * dropped as `malformed` in the books; the others show as residual.
   */
  get malformed(): number {
    return this.#malformed;
  }

  get ring(): RingReader {
    return this.#ring;
  }

  /** Delivers at most `maxRecords` waiting records; returns how many. */
  pump(maxRecords?: number): number {
    return this.#ring.consume(this.#deliver, maxRecords);
  }

  /** Batches that every sink accepted. */
  get batches(): number {
    return this.#batches;
  }

  #deliverBatch(batch: RecordBatch): void {
    for (const sink of this.#sinks) sink.write(batch, this.schema);
    for (let i = 0; i < batch.count; i++) this.#account(batch, i);
    this.#batches++;
  }

  #account(batch: RecordBatch, index: number): void {
    const { header, types, headerSize } = this.schema;
    const { view } = batch;
    const offset = batch.offsets[index]!;
    const length = batch.lengths[index]!;
    if (length < headerSize) {
      this.#malformed++;
      return;
    }
    const program = header.program(view, offset);
    const cpu = header.cpu(view, offset);
    const type = types.get(header.type(view, offset));
    if (!this.#ledger.covers(program, cpu, type?.number ?? 0)) {
      this.#malformed++;
      return;
    }
    this.#ledger.receive(program, cpu, header.sequence(view, offset));
    if (type !== undefined && length >= type.size) this.#ledger.deliver(program, cpu, type.number);
    else {
      this.#malformed++;
      this.#ledger.reject(program, cpu);
    }
  }

  /** Events of this collector that a sink had accepted and then lost. */
  lose(reason: string, program: number, cpu: number, count: number): void {
    this.#ledger.lose(program, cpu, reason, count);
  }

  /** Delivered events by name. */
  events(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { spec, number } of this.schema.types.values()) {
      counts[spec.name] = this.#ledger.deliveredOfType(number);
    }
    return counts;
  }

  /** Longest latency in ns among the events that sampling left out, by name; 0 where there was none. */
  leftOutLatencyMax_ns(): Record<string, number> {
    const rows = this.#programs.map(({ index }) => this.#statistics.readLeftOutMaxima(index));
    const maxima: Record<string, number> = {};
    for (const { spec, number } of this.schema.types.values()) {
      maxima[spec.name] = Math.max(0, ...rows.map((row) => row[number % row.length]!));
    }
    return maxima;
  }

  /** Events that sequence numbers prove lost, over all programs and CPUs. */
  missingSequences(): number {
    let total = 0;
    for (const { index } of this.#programs) {
      for (let cpu = 0; cpu < this.#cpus; cpu++) total += this.#ledger.missing(index, cpu);
    }
    return total;
  }

  /**
   * Books of every program and CPU. What lies downstream is read first: deliveries, then fates in
   * the kernel, then what was seen. So an event that moves meanwhile shows as in flight and never as
   * a negative residual; as many events as there are unfinished runs may be seen and without a fate.
   * Nothing is in flight once the ring is empty: what was sent and did not arrive is then residual.
   */
  programBooks(): ProgramBooks[] {
    const rows: ProgramBooks[] = [];
    for (const { name, index, program } of this.#programs) {
      const delivered = this.#byCpu((cpu) => this.#ledger.delivered(index, cpu));
      const malformed = this.#byCpu((cpu) => this.#ledger.rejected(index, cpu));
      const unobserved = program.info().recursionMisses;
      const counters = this.#statistics.read(index);
      const begun = this.#statistics.read(index);
      const ringEmpty = this.#ring.availableBytes() === 0;
      counters.forEach((cpuCounters, cpu) => {
        const arrived = delivered[cpu]! + malformed[cpu]!;
        const underway = Math.max(0, cpuCounters.events_sent - arrived);
        const seen = begun[cpu]!.events_seen;
        const unjudged = unjudgedEvents(cpuCounters, begun[cpu]!);
        const ringReserved = cpuCounters.dropped_ring_reserved;
        const lost = this.#ledger.lost(index, cpu);
        const lostHere = Object.values(lost).reduce((sum, count) => sum + count, 0);
        const entries = {
          seen,
          filtered: cpuCounters.filter_misses,
          rate_limited: cpuCounters.rate_limited,
          sampled_out: cpuCounters.sampled_out,
          dropped: {
            ring_full: cpuCounters.dropped_ring_full,
            ...(ringReserved === 0 ? {} : { ring_reserved: ringReserved }),
            ...(malformed[cpu] === 0 ? {} : { malformed: malformed[cpu]! }),
            ...lost,
          },
          delivered: delivered[cpu]! - lostHere,
          in_flight: unjudged + (ringEmpty ? 0 : underway),
          // The kernel counts misses by program, not by CPU; they stand with the first.
          unobserved: cpu === 0 ? unobserved : 0,
        };
        rows.push({ collector: this.spec.name, program: name, cpu, books: closeBooks(entries) });
      });
    }
    return rows;
  }

  #byCpu(count: (cpu: number) => number): number[] {
    return Array.from({ length: this.#cpus }, (_, cpu) => count(cpu));
  }

  /** Everything that is counted, by program. Read slowly: at the pace of metrics, not of events. */
  programReadings(): ProgramReading[] {
    const rows = this.programBooks();
    return this.#programs.map(({ name, index, program }) => {
      const own = rows.filter((row) => row.program === name);
      return {
        collector: this.spec.name,
        program: name,
        kind: program.kind,
        books: own.reduce((total, { books }) => addBooks(total, books), EMPTY_BOOKS),
        counters: sumCounters(this.#statistics.read(index)),
        run_time_log2: this.#statistics.readHistograms(index).run_time_log2,
        info: program.info(),
      };
    });
  }

  /** Books of the whole collector. */
  books(): Books {
    return this.programBooks().reduce((total, row) => addBooks(total, row.books), EMPTY_BOOKS);
  }

  close(): void {
    this.#ring.close();
  }
}
