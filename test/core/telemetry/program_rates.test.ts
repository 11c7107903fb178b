/** Rates between two readings of programs' statistics. */
import { describe, expect, it } from "vitest";
import type { BpfStatistics } from "#core/telemetry/bpf_statistics.ts";
import { BpfStatsCollector } from "#core/telemetry/bpf_stats_collector.ts";
import { programRates } from "#core/telemetry/program_rates.ts";

const collector = new BpfStatsCollector({ clock: { now_ms: () => 0, every: () => () => {} } });
collector.registerProgram("any", "tracepoint", 1, {
  read: () => {
    throw new Error("not read");
  },
});
const [blank] = collector.getAllStats();

function reading(programName: string, at_ms: number, fields: Partial<BpfStatistics>) {
  return { ...blank!, programName, lastUpdate_ms: at_ms, ...fields };
}

describe("programRates", () => {
  it("divides what was gained by the time between", () => {
    const before = [reading("p", 1000, { eventsReceived: 100, eventsDropped: 10 })];
    const after = [
      reading("p", 3000, {
        ...{ eventsReceived: 700, eventsDropped: 30, eventsFiltered: 200 },
        ...{ eventsProcessed: 380, averageLatency_ns: 500, ringBufferUtilization: 0.25 },
      }),
    ];
    expect(programRates(before, after, "seen")).toEqual([
      {
        program: "p",
        ...{ seen: 300, dropped: 10, filtered: 100, delivered: 190 },
        ...{ rateLimited: 0, sampledOut: 0, ringUtilization: 0.25 },
        cpuShare: 300 * 500e-9,
      },
    ]);
  });

  it("counts a program that is new, or was registered anew, from zero", () => {
    const before = [reading("old", 0, { eventsReceived: 900 })];
    const after = [
      reading("old", 1000, { eventsReceived: 50 }),
      reading("new", 1000, { eventsReceived: 70 }),
    ];
    const rates = programRates(before, after, "seen").map(({ program, seen }) => [program, seen]);
    expect(rates).toEqual([
      ["new", 70],
      ["old", 50],
    ]);
  });

  it("ranks by what is asked for, then by name", () => {
    const before = ["a", "b", "c"].map((name) => reading(name, 0, {}));
    const after = [
      reading("a", 1000, { eventsReceived: 9, eventsDropped: 1, averageLatency_ns: 1 }),
      reading("b", 1000, { eventsReceived: 5, eventsProcessed: 5, averageLatency_ns: 100 }),
      reading("c", 1000, { eventsReceived: 5, eventsDropped: 4 }),
    ];
    const ranked = (order: Parameters<typeof programRates>[2]) =>
      programRates(before, after, order).map(({ program }) => program);
    expect(ranked("seen")).toEqual(["a", "b", "c"]);
    expect(ranked("dropped")).toEqual(["c", "a", "b"]);
    expect(ranked("delivered")).toEqual(["b", "a", "c"]);
    expect(ranked("cpu")).toEqual(["b", "a", "c"]);
  });

  it("has no rates where no time passed", () => {
    const one = [reading("p", 1000, { eventsReceived: 5 })];
    expect(programRates(one, one, "seen")[0]!.seen).toBe(0);
  });
});
