/** A configuration as the rules that programs follow. */
import { ConfigError } from "../config/config_error.ts";
import {
  CLASSES,
  KEEP_EVERYTHING,
  SAMPLING_CLASS,
  type SamplingRules,
  STRATA,
  TYPES,
} from "./decision.ts";
import type { SamplingConfig } from "./sampling_config.ts";
import { requireRate, thresholdFromRate } from "./threshold.ts";

/** Numbers of event types by their names in reports (`"tcp_state"`). */
export type EventTypeNumbers = ReadonlyMap<string, number>;

const NEVER_BOOSTED = 10;

/** Rates of the four classes of a type, from its own rate; what is ordinary yields to load. */
function classRates(config: SamplingConfig, rate: number, shed: number): number[] {
  const rates = new Array<number>(CLASSES).fill(rate);
  if (config.strategy === "tail") {
    rates[SAMPLING_CLASS.error] = config.tail.error_rate;
    rates[SAMPLING_CLASS.slow] = config.tail.slow_rate;
  }
  if (config.strategy === "priority") {
    rates[SAMPLING_CLASS.priority] = Math.min(1, rate * config.priority.boost);
  }
  for (const each of [SAMPLING_CLASS.base, SAMPLING_CLASS.slow]) rates[each]! *= shed;
  return rates;
}

/** Throws `ConfigError` where a type is not known or a rate is none. */
export function checkSampling(config: SamplingConfig, types: Iterable<string>): void {
  requireRate(config.base_rate, ["sampling", "base_rate"]);
  const known = new Set(types);
  for (const [name, rate] of Object.entries(config.event_type_rates)) {
    requireRate(rate, ["sampling", "event_type_rates", name]);
    if (known.has(name)) continue;
    throw new ConfigError(
      ["sampling", "event_type_rates", name],
      "there is no such event type",
      `the types are ${[...known].join(", ")}`,
    );
  }
  const { min_rate, max_rate } = config.adaptive;
  if (min_rate > max_rate) {
    throw new ConfigError(
      ["sampling", "adaptive", "min_rate"],
      `${min_rate} is above max_rate, ${max_rate}`,
      "give a smaller one",
    );
  }
}

/**
 * The rules that `config` asks for. `rateOf` is the rate that a type has now, by its number: constant for most
 * strategies, the controller's for the adaptive one. `shed` multiplies the rates of events that are neither errors
 * nor of high priority.
 */
export function compileRules(
  config: SamplingConfig,
  rateOf: (type: number) => number,
  shed = 1,
): SamplingRules {
  if (config.strategy === "none" && shed === 1) return KEEP_EVERYTHING;
  const thresholds = new Array<bigint>(STRATA);
  for (let type = 0; type < TYPES; type++) {
    classRates(config, rateOf(type), shed).forEach((rate, index) => {
      thresholds[type * CLASSES + index] = thresholdFromRate(rate);
    });
  }
  const { strategy, tail, priority, consistent } = config;
  return {
    slow_ns: strategy === "tail" ? Math.round(tail.latency_threshold_ms * 1e6) : 0,
    priorityFrom: strategy === "priority" || shed < 1 ? priority.threshold : NEVER_BOOSTED,
    consistent,
    thresholds,
  };
}

/** The types' own rates, by number. */
export function ownRates(config: SamplingConfig, types: EventTypeNumbers): Map<number, number> {
  const rates = new Map<number, number>();
  for (const [name, rate] of Object.entries(config.event_type_rates)) {
    const number = types.get(name);
    if (number !== undefined) rates.set(number, rate);
  }
  return rates;
}

/** Rates by type number that do not change: the base rate, or the one that replaces it. */
export function constantRates(
  config: SamplingConfig,
  types: EventTypeNumbers,
): (type: number) => number {
  const rates = ownRates(config, types);
  return (type) => rates.get(type) ?? config.base_rate;
}
