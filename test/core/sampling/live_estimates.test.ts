/** Estimates of a run in progress, against what they are made of. */
import { describe, expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { LiveEstimates } from "#core/sampling/live_estimates.ts";

const random = new Xoshiro128(5);
/** R of an event that was kept with probability pi: its upper 53 bits. */
const keptR = (pi: number) => Math.floor((1 - pi * random.uniform()) * 2 ** 53);
const single = (live: LiveEstimates, pi: number, latency_ns: number | undefined) =>
  live.addSingle(keptR(pi), pi, latency_ns);

describe("live estimates", () => {
  it("count events and average the latencies that are known", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 100; i++) single(live, 0.5, i % 2 === 0 ? 10 + (i % 5) : undefined);
    const { count, latency_ns, anytime } = live.estimate();
    expect(count).toMatchObject({ value: 200, sampled: 100, method: "gamma", reasons: [] });
    expect(latency_ns).toMatchObject({ value: 12, sampled: 50, reasons: [] });
    expect(anytime!.lower).toBeLessThan(count.lower);
    expect(anytime!.upper).toBeGreaterThan(count.upper);
  });

  it("of connections have the variance of connections", () => {
    const [alone, whole] = [new LiveEstimates(), new LiveEstimates()];
    for (let i = 0; i < 400; i++) {
      single(alone, 0.5, 10);
      whole.addOfConnection(2 ** 52 + Math.floor(i / 10), 0.5, 10);
    }
    const [one, other] = [alone.estimate(), whole.estimate()];
    expect(other.count.value).toBe(one.count.value);
    expect(other.count.variance).toBeCloseTo(10 * one.count.variance, 6);
    expect(other.anytime).toBeUndefined();
  });

  it("add what was drawn singly to what was drawn by connection", () => {
    const live = new LiveEstimates();
    single(live, 0.5, 10);
    live.addOfConnection(2 ** 52, 0.5, 10);
    live.addOfConnection(2 ** 52, 0.5, 10);
    const { count } = live.estimate();
    expect(count).toMatchObject({ value: 6, sampled: 3 });
    // (1 - π)/π² times 1² and 2².
    expect(count.variance).toBe(2 * (1 + 4));
  });

  it("of connections say that a large one was not sampled", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 400; i++) live.addOfConnection(2 ** 52 + (i >> 1), 0.5, 10);
    // Half of 400 connections of two events; the standard error of 800 is √(200 · 2² · 0.5) / 0.5.
    expect(live.estimate({ events: 850 }).count.reasons).toEqual([]);
    expect(live.estimate({ events: 1200 }).count.reasons).toEqual(["events_missed"]);
    const alone = new LiveEstimates();
    for (let i = 0; i < 400; i++) single(alone, 0.5, 10);
    expect(alone.estimate({ events: 1200 }).count.reasons).toEqual([]);
  });

  it("say that nobody knows how many there were of what is never sampled", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 100; i++) single(live, 1, 10);
    const { count, anytime } = live.estimate({ rate: 2 ** -56 });
    expect(count.reasons).toEqual(["unsampled"]);
    expect(anytime).toBeUndefined();
  });

  it("say what is wrong: losses, few connections, a longest latency that was left out", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 200; i++) single(live, 0.1, 100 + (i % 9));
    const lossy = live.estimate({ lost: 1, latencyMax_ns: 1e9 });
    expect(lossy.count.reasons).toEqual(["losses"]);
    expect(lossy.latency_ns!.reasons).toEqual(["losses", "maximum_missed"]);
    expect(live.estimate({ latencyMax_ns: 110 }).latency_ns!.reasons).toEqual([]);
    const few = new LiveEstimates();
    for (let i = 0; i < 200; i++) few.addOfConnection(2 ** 52 + (i % 3), 0.1, 100);
    expect(few.estimate().count.reasons).toEqual(["few_events"]);
  });

  it("reckon with a rate at which nothing was kept", () => {
    const live = new LiveEstimates();
    for (let i = 0; i < 50; i++) single(live, 1, 10);
    expect(live.estimate()).toMatchObject({
      ...{ count: { value: 50, upper: 50 }, anytime: { lower: 50, upper: 50 } },
    });
    const { count, anytime } = live.estimate({ rate: 0.01 });
    expect(count.upper).toBeGreaterThan(350);
    expect(anytime!.upper).toBeGreaterThan(500);
    expect(new LiveEstimates().estimate()).toMatchObject({
      count: { reasons: ["nothing_sampled"] },
    });
  });

  it("have no anytime bounds once the rate has changed too often", () => {
    const live = new LiveEstimates();
    for (let i = 1; i <= 16; i++) single(live, i / 32, 10);
    expect(live.estimate().anytime).toBeDefined();
    single(live, 17 / 32, 10);
    expect(live.estimate().anytime).toBeUndefined();
  });
});
