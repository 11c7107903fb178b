import { describe, expect, it } from "vitest";
import { ConfigError } from "#core/config/config_error.ts";
import { CLASSES, type SamplingRules, STRATA } from "#core/sampling/decision.ts";
import { DEFAULT_SAMPLING } from "#core/sampling/sampling_config.ts";
import { SamplingManager } from "#core/sampling/sampling_manager.ts";
import { rateFromThreshold } from "#core/sampling/threshold.ts";
import { thrown } from "../../support/thrown.ts";

const TYPES = new Map([
  ["tcp_event", 1],
  ["other", 2],
]);

class Target {
  readonly types = TYPES;
  readonly published: SamplingRules[] = [];
  counts = Array.from({ length: STRATA }, () => ({ seen: 0, kept: 0 }));
  publish(rules: SamplingRules): number {
    return this.published.push(rules) & 0xff;
  }
  totals() {
    return this.counts;
  }
  /** Rates of the four classes of a type in the rules published last. */
  rates(type: number): number[] {
    const { thresholds } = this.published.at(-1)!;
    return thresholds.slice(type * CLASSES, (type + 1) * CLASSES).map(rateFromThreshold);
  }
}

const make = (random: () => bigint = () => 0n) => {
  const target = new Target();
  return { target, manager: new SamplingManager([target], random) };
};

describe("strategies", () => {
  it("none keeps everything", () => {
    const { manager } = make();
    expect(manager.shouldSample("tcp_event", 1, 0, false)).toBe(true);
    expect(manager.getStatistics()).toMatchObject({ strategy: "none", effectiveSampleRate: 1 });
  });

  it("a type's rate replaces the base rate, and may be lower", () => {
    const { manager, target } = make();
    manager.setSamplingRate(0.5);
    manager.setEventTypeRate("tcp_event", 0.01);
    expect(target.rates(1)[0]).toBeCloseTo(0.01, 12);
    expect(target.rates(2)[0]).toBe(0.5);
  });

  it("tail keeps errors, half of what is slow, and the rest at its rate", () => {
    const { manager, target } = make();
    manager.configure({ ...DEFAULT_SAMPLING, strategy: "tail", base_rate: 0.125 });
    expect(target.rates(1)).toEqual([0.125, 0.125, 0.5, 1]);
    expect(target.published.at(-1)).toMatchObject({ slow_ns: 100e6, priorityFrom: 10 });
    expect(manager.shouldSample("tcp_event", 1, 0, true)).toBe(true);
    expect(manager.shouldSample("tcp_event", 1, 0, false)).toBe(false);
  });

  it("priority doubles the rate from 5 on, up to 1", () => {
    const { manager, target } = make();
    manager.configure({ ...DEFAULT_SAMPLING, strategy: "priority", base_rate: 0.25 });
    expect(target.rates(1)).toEqual([0.25, 0.5, 0.25, 0.25]);
    manager.setSamplingRate(0.75);
    expect(target.rates(1)[1]).toBe(1);
  });

  it("shed load multiplies the rates of what is ordinary, as one epoch, over every strategy", () => {
    const { manager, target } = make();
    manager.shed(0.25);
    // Type 1 under none: ordinary events yield; high priority and errors stay whole.
    expect(target.rates(1)).toEqual([0.25, 1, 0.25, 1]);
    expect(target.published.at(-1)).toMatchObject({ priorityFrom: 5, slow_ns: 0 });
    manager.configure({ ...DEFAULT_SAMPLING, strategy: "tail", base_rate: 0.5 });
    expect(target.rates(1)).toEqual([0.125, 0.5, 0.125, 1]);
    manager.configure({ ...DEFAULT_SAMPLING, strategy: "priority", base_rate: 0.5 });
    expect(target.rates(1)).toEqual([0.125, 1, 0.125, 0.5]);
    expect(manager.getStatistics().rates["tcp_event"]).toBe(0.125);
    const epochs = target.published.length;
    manager.shed(0.249);
    expect(target.published).toHaveLength(epochs);
    manager.shed(1);
    expect(target.published).toHaveLength(epochs + 1);
    expect(target.rates(1)).toEqual([0.5, 1, 0.5, 0.5]);
    expect(target.published.at(-1)).toMatchObject({ priorityFrom: 5 });
    manager.setStrategy("none");
    expect(target.published.at(-1)).toMatchObject({ priorityFrom: 10 });
  });

  it("every change is one epoch of every target", () => {
    const { manager, target } = make();
    manager.setStrategy("uniform");
    manager.setSamplingRate(0.3);
    expect(target.published).toHaveLength(2);
    expect(manager.getStatistics().adjustments).toBe(2);
  });

  it("adaptive looks at exact counts, at its interval, and leaves small changes alone", () => {
    const { manager, target } = make();
    manager.configure({
      ...DEFAULT_SAMPLING,
      strategy: "adaptive",
      adaptive: { ...DEFAULT_SAMPLING.adaptive, target_events_per_s: 1000 },
    });
    let now_ns = 0n;
    const second = (events: number): void => {
      target.counts[CLASSES]!.seen += events;
      now_ns += 1_000_000_000n;
      manager.tick(now_ns);
    };
    second(0);
    second(10_000);
    expect(target.rates(1)[0]).toBeCloseTo(0.1, 9);
    const published = target.published.length;
    manager.tick(now_ns + 1n);
    second(10_010);
    expect(target.published).toHaveLength(published);
    second(100_000);
    expect(target.rates(1)[0]).toBeCloseTo(0.01, 9);
  });
});

describe("nonsense is refused, and what is in force stays", () => {
  it.each<[string, (manager: SamplingManager) => void]>([
    ["a rate below 0", (manager) => manager.setSamplingRate(-0.1)],
    ["a rate above 1", (manager) => manager.setSamplingRate(1.5)],
    ["no number", (manager) => manager.setSamplingRate(Number.NaN)],
    ["a type that does not exist", (manager) => manager.setEventTypeRate("dns", 0.5)],
    ["a strategy that does not exist", (manager) => manager.setStrategy("guess" as "none")],
  ])("%s", (_, change) => {
    const { manager, target } = make();
    manager.setSamplingRate(0.5);
    const before = target.published.length;
    const error = thrown(() => change(manager));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).not.toContain("\n");
    expect(target.published).toHaveLength(before);
    expect(manager.config.base_rate).toBe(0.5);
  });

  it("sizes of samples: 385 of many, 45 of 50, and no confidence of 1", () => {
    const { manager } = make();
    expect(manager.calculateRequiredSampleSize(Number.POSITIVE_INFINITY)).toBe(385);
    expect(manager.calculateRequiredSampleSize(50)).toBe(45);
    expect(() => manager.calculateRequiredSampleSize(50, 1)).toThrow();
    expect(() => manager.calculateRequiredSampleSize(50, 0.95, 0)).toThrow();
  });
});
