/**
 * Sampling as a whole: the strategy in force, its rules in every loaded object, decisions in user space for
 * events that no program judged, and statistics.
 */
import { ConfigError } from "../config/config_error.ts";
import { cochranSampleSize } from "../stats/sample_size.ts";
import { AdaptiveController } from "./adaptive_controller.ts";
import {
  checkSampling,
  compileRules,
  constantRates,
  type EventTypeNumbers,
  ownRates,
} from "./compile_rules.ts";
import { CLASSES, type SamplingRules, TYPES, thresholdOf } from "./decision.ts";
import {
  DEFAULT_SAMPLING,
  type SamplingConfig,
  STRATEGIES,
  type StrategyName,
} from "./sampling_config.ts";
import type { StratumCount } from "./sampling_counts.ts";
import { isKept, rateFromThreshold } from "./threshold.ts";

/** Where rules are put in force and counts come from: one loaded object's table. */
export interface SamplingTarget {
  /** Event types that the object reports. */
  readonly types: EventTypeNumbers;
  publish(rules: SamplingRules): number;
  totals(): readonly StratumCount[];
}

export interface SamplingStatistics {
  readonly strategy: StrategyName;
  /** Events that reached the decision, and those that it kept, in all targets. */
  readonly totalEvents: number;
  readonly sampledEvents: number;
  readonly droppedEvents: number;
  /** Kept part; 1 before the first event. */
  readonly effectiveSampleRate: number;
  /** Rate in force by event type. */
  readonly rates: Readonly<Record<string, number>>;
  readonly errorEvents: number;
  readonly slowEvents: number;
  readonly priorityHighEvents: number;
  /** How often rules were put in force. */
  readonly adjustments: number;
}

/** A rate that moves less than this is left alone: an epoch for nothing helps nobody. */
const RELATIVE_CHANGE_MIN = 0.005;

/** The same for load shedding, whose signal is coarser. */
const SHED_CHANGE_MIN = 0.02;

interface Managed {
  readonly target: SamplingTarget;
  readonly seenByType: number[];
}

export class SamplingManager {
  readonly #managed: readonly Managed[];
  readonly #random: () => bigint;
  readonly #types: EventTypeNumbers;
  #config: SamplingConfig = DEFAULT_SAMPLING;
  #controller: AdaptiveController | undefined;
  #last_ns: bigint | undefined;
  #adjustments = 0;
  /** Smallest rate that each type has had, by its number. */
  readonly #leastRates = new Map<number, number>();
  #shed = 1;
  /** In force in every target. */
  #rules = compileRules(DEFAULT_SAMPLING, () => 1);

  /** `random` yields 56 uniform bits, for decisions in user space. */
  constructor(targets: readonly SamplingTarget[], random: () => bigint) {
    this.#types = new Map(targets.flatMap(({ types }) => [...types]));
    this.#random = random;
    this.#managed = targets.map((target) => ({
      target,
      seenByType: new Array<number>(TYPES).fill(0),
    }));
  }

  get config(): SamplingConfig {
    return this.#config;
  }

  /** Throws `ConfigError`; what is in force stays. */
  check(config: SamplingConfig): void {
    if (!STRATEGIES.includes(config.strategy)) {
      throw new ConfigError(
        ["sampling", "strategy"],
        `there is no strategy ${config.strategy}`,
        `the strategies are ${STRATEGIES.join(", ")}`,
      );
    }
    checkSampling(config, this.#types.keys());
  }

  /** Puts `config` in force, as one epoch of every target. Throws `ConfigError`, and changes nothing. */
  configure(config: SamplingConfig): void {
    this.check(config);
    this.#config = config;
    this.#controller =
      config.strategy === "adaptive"
        ? new AdaptiveController(config.adaptive, ownRates(config, this.#types))
        : undefined;
    this.#last_ns = undefined;
    this.#publish();
  }

  setStrategy(strategy: StrategyName): void {
    this.configure({ ...this.#config, strategy });
  }

  /** `rate` from 0 to 1; the strategy becomes uniform where it was none. */
  setSamplingRate(rate: number): void {
    const strategy = this.#config.strategy === "none" ? "uniform" : this.#config.strategy;
    this.configure({ ...this.#config, strategy, base_rate: rate });
  }

  /** The type's own rate, which replaces the base rate. */
  setEventTypeRate(type: string, rate: number): void {
    const event_type_rates = { ...this.#config.event_type_rates, [type]: rate };
    this.configure({ ...this.#config, event_type_rates });
  }

  /** The decision for an event that no program judged. */
  shouldSample(type: string, priority: number, latencyMs: number, hasError: boolean): boolean {
    const number = this.#types.get(type) ?? 0;
    const facts = { type: number, priority, latency_ns: latencyMs * 1e6, error: hasError };
    return isKept(this.#random(), thresholdOf(this.#rules, facts));
  }

  /** Sample size for a proportion, by Cochran with finite population: at most `population`. */
  calculateRequiredSampleSize(population: number, confidence = 0.95, marginOfError = 0.05): number {
    return cochranSampleSize({ confidence, margin: marginOfError, population });
  }

  /** The adaptive strategy's turn. */
  tick(now_ns: bigint): void {
    if (this.#controller === undefined) return;
    const interval_ns = BigInt(this.#config.adaptive.interval_ms) * 1_000_000n;
    if (this.#last_ns !== undefined && now_ns - this.#last_ns < interval_ns) return;
    const offered = this.#offered();
    const last_ns = this.#last_ns;
    this.#last_ns = now_ns;
    // The first look only says from where to count.
    if (last_ns === undefined) return;
    this.#controller.update(offered, Number(now_ns - last_ns) / 1e9);
    if (this.#changed()) this.#publish();
  }

  /** Factor on the rates of ordinary events by which load is shed; 1: none. */
  get shedMultiplier(): number {
    return this.#shed;
  }

  /**
   * Multiplies the rates of events that are neither errors nor of high priority by `multiplier`, from 0 (not included)
   * to 1, on top of what the configuration asks for: as one epoch. A small change is left alone.
   */
  shed(multiplier: number): void {
    const small = Math.abs(multiplier - this.#shed) <= SHED_CHANGE_MIN * this.#shed;
    if (multiplier === this.#shed || (small && multiplier < 1)) return;
    this.#shed = multiplier;
    this.#publish();
  }

  /** What each type offered since the last look. */
  #offered(): Map<number, number> {
    const offered = new Map<number, number>();
    for (const managed of this.#managed) {
      const seen = seenByNumber(managed.target);
      for (const type of managed.target.types.values()) {
        offered.set(type, (offered.get(type) ?? 0) + seen[type]! - managed.seenByType[type]!);
        managed.seenByType[type] = seen[type]!;
      }
    }
    return offered;
  }

  #rateOf(): (type: number) => number {
    const controller = this.#controller;
    if (this.#config.strategy === "none") return () => 1;
    if (controller !== undefined) return (type) => controller.rateOf(type);
    return constantRates(this.#config, this.#types);
  }

  #changed(): boolean {
    const rateOf = this.#rateOf();
    return [...this.#types.values()].some((type) => {
      const now = rateFromThreshold(this.#rules.thresholds[type * CLASSES]!);
      return Math.abs(rateOf(type) * this.#shed - now) > RELATIVE_CHANGE_MIN * now;
    });
  }

  #publish(): void {
    this.#rules = compileRules(this.#config, this.#rateOf(), this.#shed);
    for (const { target } of this.#managed) target.publish(this.#rules);
    this.#adjustments += 1;
    for (const type of this.#types.values()) {
      const row = this.#rules.thresholds.slice(type * CLASSES, (type + 1) * CLASSES);
      const rates = row.map(rateFromThreshold);
      this.#leastRates.set(type, Math.min(this.#leastRates.get(type) ?? 1, ...rates));
    }
  }

  /** Smallest probability that an event of this type may have had since the start; 1 before any rules. */
  leastRate(type: string): number {
    return this.#leastRates.get(this.#types.get(type) ?? -1) ?? 1;
  }

  /** Events that reached the decision since the start, in all targets, by the name of their type. */
  seenByType(): Map<string, number> {
    const targets = this.#managed.map(({ target }) => seenByNumber(target));
    const sum = (type: number): number => targets.reduce((total, seen) => total + seen[type]!, 0);
    return new Map([...this.#types].map(([name, type]) => [name, sum(type)]));
  }

  getStatistics(): SamplingStatistics {
    const classes = new Array<number>(CLASSES).fill(0);
    let seen = 0;
    let kept = 0;
    for (const { target } of this.#managed) {
      target.totals().forEach((count, stratum) => {
        seen += count.seen;
        kept += count.kept;
        classes[stratum % CLASSES]! += count.seen;
      });
    }
    const rateOf = this.#rateOf();
    const rates = [...this.#types].map(
      ([name, type]) => [name, rateOf(type) * this.#shed] as const,
    );
    const [, priorityHighEvents = 0, slowEvents = 0, errorEvents = 0] = classes;
    return {
      strategy: this.#config.strategy,
      totalEvents: seen,
      sampledEvents: kept,
      droppedEvents: seen - kept,
      effectiveSampleRate: seen === 0 ? 1 : kept / seen,
      rates: Object.fromEntries(rates),
      errorEvents,
      slowEvents,
      priorityHighEvents,
      adjustments: this.#adjustments,
    };
  }
}

/** Events of each type that reached a target's decision, by the type's number. */
function seenByNumber(target: SamplingTarget): number[] {
  const byNumber = new Array<number>(TYPES).fill(0);
  target.totals().forEach(({ seen }, stratum) => {
    byNumber[Math.floor(stratum / CLASSES)]! += seen;
  });
  return byNumber;
}
