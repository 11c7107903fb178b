/** Statistics over random schedules of programs, readers and collector ticks, against a model. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { EVENT_COUNTER } from "#core/telemetry/bpf_statistics.ts";
import { BpfStatsCollector } from "#core/telemetry/bpf_stats_collector.ts";
import type { ProgramRecord } from "#core/telemetry/program_record.ts";
import type { SourceReading } from "#core/telemetry/program_source.ts";
import { checkProperty } from "../property.ts";

const CPUS = 4;
const NAMES = ["a", "b", "c"];
const FATES = ["filtered", "rateLimited", "sampled", "ring_full", "batched"] as const;

/** A loaded program: per-CPU counters, and records that user space has not read yet. */
class LoadedProgram {
  readonly id: number;
  readonly counters = Array.from({ length: CPUS }, () => new Map<string, number>());
  delivered = 0;

  constructor(id: number) {
    this.id = id;
  }

  count(cpu: number, counter: string): void {
    const own = this.counters[cpu]!;
    own.set(counter, (own.get(counter) ?? 0) + 1);
  }

  sum(counter: string): number {
    return this.counters.reduce((total, own) => total + (own.get(counter) ?? 0), 0);
  }

  read(): SourceReading {
    const totals = Object.fromEntries(
      ["filtered", "rateLimited", "sampled", "batched"].map((name) => [name, this.sum(name)]),
    );
    const ringFull = this.sum("ring_full");
    const received = this.sum("received");
    const in_flight = this.sum("batched") - this.delivered;
    const fates = FATES.reduce((total, fate) => total + this.sum(fate), 0);
    return {
      id: this.id,
      totals: { ...totals, received, processed: this.delivered, dropped: ringFull },
      dropped: { ring_full: ringFull },
      in_flight,
      residual: received - fates,
      run_time_log2: new Array<number>(32).fill(0).fill(received, 5, 6),
      timed_ns: received * 40,
    };
  }
}

type Step =
  | { readonly kind: "event"; readonly name: string; readonly cpu: number; readonly fate: string }
  | { readonly kind: "deliver"; readonly name: string; readonly count: number }
  | { readonly kind: "increment"; readonly name: string; readonly amount: number }
  | { readonly kind: "load" | "register" | "unregister"; readonly name: string }
  | { readonly kind: "tick" | "stop" | "start" };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("event" as const),
      name,
      cpu: fc.nat({ max: CPUS - 1 }),
      fate: fc.constantFrom(...FATES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("deliver" as const),
      name,
      count: fc.nat({ max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("increment" as const),
      name,
      amount: fc.nat({ max: 9 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("load" as const, "register" as const, "unregister" as const),
      name,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Step>({ kind: "tick" }, { kind: "stop" }, { kind: "start" }),
  },
);

/** What the totals must be, said independently: the last reading of every load that was ever read. */
class Expected {
  readonly #read = new Map<number, number>();
  counted = 0;

  look(program: LoadedProgram): void {
    this.#read.set(program.id, program.sum("received"));
  }

  get received(): number {
    return [...this.#read.values()].reduce((sum, count) => sum + count, 0) + this.counted;
  }
}

class World {
  readonly collector: BpfStatsCollector;
  readonly #programs = new Map<string, LoadedProgram>();
  readonly #expected = new Map<string, Expected>();
  readonly #registered = new Set<string>();
  /** Loads that the collector reads, by name: those at the time of registration. */
  readonly #sources = new Map<string, LoadedProgram>();
  readonly #before = new Map<string, number>();
  #tick: (() => void) | undefined;
  #nextId = 1;
  #now_ms = 0;

  constructor() {
    this.collector = new BpfStatsCollector({
      clock: {
        now_ms: () => this.#now_ms++,
        every: (_, tick) => {
          this.#tick = tick;
          return () => {
            this.#tick = undefined;
          };
        },
      },
    });
    for (const each of NAMES) {
      this.#programs.set(each, new LoadedProgram(this.#nextId++));
      this.#expected.set(each, new Expected());
    }
  }

  take(next: Step): void {
    switch (next.kind) {
      case "event": {
        const program = this.#programs.get(next.name)!;
        program.count(next.cpu, "received");
        // Anybody may look between the two: the event is then under way.
        program.count(next.cpu, next.fate);
        break;
      }
      case "deliver": {
        const program = this.#programs.get(next.name)!;
        const waiting = program.sum("batched") - program.delivered;
        program.delivered += Math.min(waiting, next.count);
        break;
      }
      case "increment":
        if (!this.#registered.has(next.name)) break;
        this.collector.incrementEventCounter(next.name, EVENT_COUNTER.received, next.amount);
        this.#expected.get(next.name)!.counted += next.amount;
        break;
      case "load":
        this.#programs.set(next.name, new LoadedProgram(this.#nextId++));
        break;
      case "register":
        this.#register(next.name);
        break;
      case "unregister":
        if (this.#registered.delete(next.name)) this.#look(next.name);
        this.collector.unregisterProgram(next.name);
        break;
      case "tick":
        this.#tick?.();
        if (this.#tick !== undefined) this.#lookAtAll();
        break;
      case "stop":
        if (this.collector.running) this.#lookAtAll();
        this.collector.stop();
        break;
      case "start":
        if (!this.collector.running) this.#lookAtAll();
        this.collector.start();
        break;
    }
    this.#check();
  }

  #register(name: string): void {
    const program = this.#programs.get(name)!;
    this.#sources.set(name, program);
    this.#registered.add(name);
    this.collector.registerProgram(name, "tracepoint", program.id, program);
  }

  #look(name: string): void {
    this.#expected.get(name)!.look(this.#sources.get(name)!);
  }

  #lookAtAll(): void {
    for (const each of this.#registered) this.#look(each);
  }

  #check(): void {
    for (const record of this.collector.records()) {
      const exported = record.totals.received.total;
      expect(exported).toBeGreaterThanOrEqual(this.#before.get(record.name) ?? 0);
      this.#before.set(record.name, exported);
      expect(exported).toBe(this.#expected.get(record.name)!.received);
      expectClosed(record);
    }
    expect(
      this.collector
        .getAllStats()
        .map(({ programName }) => programName)
        .sort(),
    ).toEqual([...this.#registered].sort());
  }
}

/** What was read last adds up, and so do the totals of all loads but for what one left in flight. */
function expectClosed({ reading, totals, dropped }: ProgramRecord): void {
  expect(reading?.residual ?? 0).toBe(0);
  const { filtered, rateLimited, sampled, batched, processed } = totals;
  const ringFull = dropped.get("ring_full")?.total ?? 0;
  const fates = filtered.total + rateLimited.total + sampled.total + ringFull + batched.total;
  expect(totals.received.total).toBeGreaterThanOrEqual(fates);
  expect(batched.total).toBeGreaterThanOrEqual(processed.total);
}

it("close at every instant, never fall and count nothing twice", () => {
  const property = fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
    const world = new World();
    for (const next of steps) world.take(next);
  });
  checkProperty("statistics over schedules", property);
});
