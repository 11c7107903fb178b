import { describe, expect, it } from "vitest";
import { EVENT_COUNTER } from "#core/telemetry/bpf_statistics.ts";
import { BpfStatsCollector, INTERVAL_DEFAULT_MS } from "#core/telemetry/bpf_stats_collector.ts";
import { Cumulative } from "#core/telemetry/cumulative.ts";
import type { SourceReading } from "#core/telemetry/program_source.ts";
import { thrown } from "../../support/thrown.ts";

class TestClock {
  time_ms = 1000;
  readonly #timers = new Set<{ at_ms: number; every_ms: number; tick: () => void }>();

  now_ms = (): number => this.time_ms;

  every = (every_ms: number, tick: () => void): (() => void) => {
    const timer = { at_ms: this.time_ms + every_ms, every_ms, tick };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  advance(duration_ms: number): void {
    const end = this.time_ms + duration_ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at_ms - b.at_ms);
      if (next === undefined || next.at_ms > end) break;
      this.time_ms = next.at_ms;
      next.at_ms += next.every_ms;
      next.tick();
    }
    this.time_ms = end;
  }
}

const reading = (
  id: number,
  received: number,
  more: Partial<SourceReading> = {},
): SourceReading => ({
  id,
  totals: { received },
  dropped: {},
  in_flight: 0,
  residual: 0,
  run_time_log2: new Array<number>(32).fill(0),
  timed_ns: 0,
  ...more,
});

const collectorOn = (clock: TestClock, interval_ms?: number): BpfStatsCollector =>
  new BpfStatsCollector({ clock, ...(interval_ms === undefined ? {} : { interval_ms }) });

describe("the statistics collector", () => {
  it("reads its sources at the start, at every interval of 5 s, and at the stop", () => {
    const clock = new TestClock();
    const collector = collectorOn(clock, 0);
    expect(collector.interval_ms).toBe(INTERVAL_DEFAULT_MS);
    let reads = 0;
    collector.registerProgram("tcp", "tracepoint", 7, { read: () => reading(7, ++reads) });
    collector.start();
    collector.start();
    expect(reads).toBe(1);
    clock.advance(14_999);
    expect(reads).toBe(3);
    collector.stop();
    expect(reads).toBe(4);
    clock.advance(60_000);
    expect(reads).toBe(4);
    collector.restart();
    clock.advance(5000);
    expect(collector.getStats("tcp")!.eventsReceived).toBe(6);
  });

  it("counts a program once, however often it is registered", () => {
    const clock = new TestClock();
    const collector = collectorOn(clock);
    collector.registerProgram("tcp", "tracepoint", 7);
    collector.incrementEventCounter("tcp", EVENT_COUNTER.processed, 100);
    collector.registerProgram("tcp", "tracepoint", 7);
    expect(collector.getAllStats()).toHaveLength(1);
    expect(collector.getStats("tcp")!.eventsProcessed).toBe(100);
    expect(collector.unregisterProgram("tcp")).toBe(true);
    expect(collector.unregisterProgram("tcp")).toBe(false);
    expect(collector.getStats("tcp")).toBeUndefined();
    expect(thrown(() => collector.incrementEventCounter("tcp", 0)).message).toMatch(/registered/);
  });

  it("works before the first start, and knows what the report's example does", () => {
    const collector = collectorOn(new TestClock());
    collector.registerProgram("tcp_monitor", "tracepoint", 12345);
    collector.incrementEventCounter("tcp_monitor", EVENT_COUNTER.processed, 100);
    collector.recordProcessingTime("tcp_monitor", 1500);
    collector.recordProcessingTime("tcp_monitor", 500);
    collector.updateRingBufferStats("tcp_monitor", { size_bytes: 4096, used_bytes: 1024 });
    expect(collector.getStats("tcp_monitor")).toMatchObject({
      programId: 12345,
      eventsProcessed: 100,
      processingTime_ns: 2000,
      averageLatency_ns: 1000,
      peak1MinLatency_ns: 1500,
      ringBufferUtilization: 0.25,
    });
  });

  it("lets peaks of one and five minutes decay, each in its own time", () => {
    const clock = new TestClock();
    const collector = collectorOn(clock);
    collector.registerProgram("tcp", "tracepoint", 1);
    collector.recordProcessingTime("tcp", 9000);
    clock.advance(120_000);
    collector.recordProcessingTime("tcp", 10);
    expect(collector.getStats("tcp")).toMatchObject({
      peak1MinLatency_ns: 10,
      peak5MinLatency_ns: 9000,
    });
    clock.advance(400_000);
    expect(collector.getStats("tcp")).toMatchObject({
      peak1MinLatency_ns: 0,
      peak5MinLatency_ns: 0,
    });
  });

  it("goes on where a source cannot be read, and keeps the last reading", () => {
    const problems: string[] = [];
    const clock = new TestClock();
    const collector = new BpfStatsCollector({
      clock,
      onError: (program, error) => problems.push(`${program}: ${(error as Error).message}`),
    });
    let broken = false;
    const read = (): SourceReading => {
      if (broken) throw new Error("gone");
      return reading(1, 5);
    };
    collector.registerProgram("a", "xdp", 1, { read });
    collector.registerProgram("b", "xdp", 2, { read: () => reading(2, 6) });
    collector.collect();
    broken = true;
    collector.collect();
    expect(problems).toEqual(["a: gone"]);
    expect(collector.getStats("a")!.eventsReceived).toBe(5);
    expect(collector.getStats("b")!.eventsReceived).toBe(6);
  });

  it("refuses nonsense in one line", () => {
    const collector = collectorOn(new TestClock());
    collector.registerProgram("tcp", "tracepoint", 1);
    for (const amount of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(thrown(() => collector.incrementEventCounter("tcp", 0, amount)).hint).not.toBe("");
      expect(thrown(() => collector.recordProcessingTime("tcp", amount)).hint).not.toBe("");
    }
    expect(thrown(() => collectorOn(new TestClock(), Number.NaN)).message).toContain("NaN");
  });
});

describe("a cumulative counter", () => {
  it("goes on over another program, and over the same one that is read again", () => {
    const counter = new Cumulative();
    counter.update(1, 10);
    counter.update(1, 12);
    expect(counter.total).toBe(12);
    counter.update(2, 3);
    expect(counter.total).toBe(15);
    counter.update(2, 3);
    counter.add(5);
    expect(counter.total).toBe(20);
    counter.update(2, 1);
    expect(counter.total).toBe(21);
  });
});
