/** Generated events have the laws that their names say. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { arrivalsOf } from "#lab/workload/arrivals.ts";
import { generateEvents } from "#lab/workload/generate_events.ts";
import { workloadSchema } from "#lab/workload/schema.ts";

function generate(settings: object, seed = 1) {
  const workload = workloadSchema.parse({ name: "w", kind: "constant", ...settings });
  if (workload.kind === "recording") throw new Error("it is generated");
  return generateEvents(workload, new Xoshiro128(seed));
}

/** Largest distance of an empirical distribution from `cumulative` (Kolmogorov), times √n. */
function distance(values: readonly number[], cumulative: (value: number) => number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const n = sorted.length;
  const gaps = sorted.map((value, i) => {
    const expected = cumulative(value);
    return Math.max((i + 1) / n - expected, expected - i / n);
  });
  return Math.max(...gaps) * Math.sqrt(n);
}

/** Passed by a right law in all but one seed of a million (2 exp(-2 d²)). */
const DISTANCE_MAX = 2.7;

describe("arrivals", () => {
  const load = (arrivals: "poisson" | "even", repeat = 1) => ({
    arrivals,
    repeat,
    phases: [
      { seconds: 20, events_per_s: 100 },
      { seconds: 5, events_per_s: 0 },
      { seconds: 2, events_per_s: 1000 },
    ],
  });

  it("of a Poisson process have exponential gaps, by the load of their phase", () => {
    const times = [...arrivalsOf(load("poisson"), new Xoshiro128(1))];
    const slow = times.filter((at) => at < 20);
    const fast = times.filter((at) => at >= 25);
    expect(slow.length + fast.length).toBe(times.length);
    for (const [phase, rate] of [
      [slow, 100],
      [fast, 1000],
    ] as const) {
      const gaps = phase.slice(1).map((at, i) => at - phase[i]!);
      expect(distance(gaps, (gap) => 1 - Math.exp(-rate * gap))).toBeLessThan(DISTANCE_MAX);
      // 2,000 are expected in either phase: five standard deviations are 224.
      expect(Math.abs(phase.length - 2000)).toBeLessThan(224);
    }
  });

  it("that are even come at equal distances, in every repetition alike", () => {
    const times = arrivalsOf(load("even", 2), new Xoshiro128(1));
    const first = [...times].filter((at) => at < 27);
    expect(Math.abs(first.length - 4000)).toBeLessThanOrEqual(2);
    expect([...times].slice(first.length).length).toBeCloseTo(first.length, -1);
    expect(times[1]! - times[0]!).toBeCloseTo(0.01, 9);
  });

  it("are given by events or by load, by one of them", () => {
    expect(() => generate({})).toThrow(/give either events/);
    expect(() => generate({ events: 5, load: load("even") })).toThrow(/give either events/);
  });
});

describe("values", () => {
  const EVENTS = 4000;

  it.each([
    ["pareto", { alpha: 1.5 }, (x: number) => 1 - x ** -1.5],
    ["pareto", { alpha: 1.1 }, (x: number) => 1 - x ** -1.1],
  ])("are %s %o", (kind, settings, cumulative) => {
    const { values } = generate({ kind, events: EVENTS, ...settings });
    expect(distance([...values], cumulative)).toBeLessThan(DISTANCE_MAX);
  });

  it("are lognormal: their logarithms have mean 0 and the deviation asked for", () => {
    const logs = [...generate({ kind: "lognormal", sigma: 2, events: EVENTS }).values].map(
      Math.log,
    );
    const mean = logs.reduce((sum, log) => sum + log, 0) / EVENTS;
    const variance = logs.reduce((sum, log) => sum + log * log, 0) / EVENTS;
    expect(Math.abs(mean)).toBeLessThan((5 * 2) / Math.sqrt(EVENTS));
    expect(Math.abs(variance / 4 - 1)).toBeLessThan(5 * Math.sqrt(2 / EVENTS));
  });

  it("are ranks by Zipf's law", () => {
    const { values } = generate({ kind: "zipf", exponent: 1, ranks: 4, events: EVENTS });
    const all = 1 + 1 / 2 + 1 / 3 + 1 / 4;
    for (const rank of [1, 2, 3, 4]) {
      const share = 1 / rank / all;
      const found = values.filter((value) => value === rank).length / EVENTS;
      expect(Math.abs(found - share)).toBeLessThan(5 * Math.sqrt(share / EVENTS));
    }
  });

  it("come in bursts, or with a period", () => {
    const { values } = generate({ kind: "bursty", factor: 10, events: 20_000 });
    const high = values.filter((value) => value >= 5).length / 200;
    expect(Number.isInteger(high)).toBe(true);
    expect(high).toBeGreaterThan(0);
    const periodic = generate({ kind: "periodic", period: 3, events: 6 }).values;
    expect([...periodic]).toEqual([3, 1, 1, 3, 1, 1]);
  });

  it("grow with the type, and stay when events get connections", () => {
    const types = { count: 3, factor: 10 };
    const { values, types: numbers, typeNames } = generate({ events: 600, types });
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(10 ** (numbers[i]! - 1), 9);
    });
    expect(typeNames.filter((name) => name !== "")).toEqual(["type 1", "type 2", "type 3"]);
    const settings = { kind: "pareto", alpha: 2, events: 50 };
    const connected = { ...settings, connections: { mean_events: 4, tail: 2 } };
    expect(generate(connected).values).toEqual(generate(settings).values);
  });
});

it("connections are neighbours, and have as many events as asked for", () => {
  const connections = { mean_events: 4, tail: 3 };
  const { connections: numbers } = generate({ events: 40_000, connections });
  numbers.forEach((number, i) => {
    if (i > 0) expect(number - numbers[i - 1]!).toBeLessThanOrEqual(1);
  });
  // Rounding and the mean of a heavy tail leave some play.
  expect(40_000 / (numbers.at(-1)! + 1)).toBeCloseTo(4, 0);
});

it("errors and high priorities are as frequent as asked for", () => {
  const { errors, priorities } = generate({
    events: 10_000,
    error_share: 0.2,
    high_priority_share: 0.4,
  });
  const share = (column: Uint8Array, value: number): number =>
    column.filter((each) => each === value).length / 10_000;
  expect(Math.abs(share(errors, 1) - 0.2)).toBeLessThan(0.02);
  expect(Math.abs(share(priorities, 5) - 0.4)).toBeLessThan(0.025);
});
