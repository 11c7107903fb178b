/** The property that every backend passes: the tables' verdict is the evaluator's. */
import fc from "fast-check";
import type { Backend } from "#core/backend.ts";
import { ConfigError } from "#core/config/config_error.ts";
import { CAPACITY_NAMES, type Capacities } from "#core/filters/filter_config.ts";
import type { FilterMode } from "#core/filters/filter_manager.ts";
import { FILTER_TYPES, type FilterRuleInput, type FilterType } from "#core/filters/rule.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { checkAsyncProperty } from "#property-tests/property.ts";
import { describedEvent, rules } from "./arbitraries.ts";
import { type DescribedEvent, evaluate } from "./evaluator.ts";
import { Judge } from "./judge.ts";

export interface PairOptions {
  /** Events for each rule set. */
  readonly events: number;
  readonly remote?: boolean;
  readonly runs?: number;
}

interface Plan {
  readonly capacity: number;
  readonly rules: readonly FilterRuleInput[];
  readonly more: readonly FilterRuleInput[];
  readonly mode: FilterMode;
  readonly types: readonly FilterType[];
  readonly seed: number;
}

const plans: fc.Arbitrary<Plan> = fc.record({
  capacity: fc.oneof(fc.constantFrom(1, 2, 5), fc.constant(64)),
  rules,
  more: rules,
  mode: fc.constantFrom("allow" as const, "allow" as const, "deny" as const),
  types: fc.oneof(
    fc.constant([...FILTER_TYPES]),
    fc.subarray([...FILTER_TYPES]) as fc.Arbitrary<FilterType[]>,
  ),
  seed: fc.integer(),
});

export const capacities = (each: number): Capacities =>
  Object.fromEntries(CAPACITY_NAMES.map((name) => [name, each])) as Capacities;

/** Adds what can be added; what is refused must leave no trace, which the verdicts show. */
async function addAll(judge: Judge, inputs: readonly FilterRuleInput[]): Promise<void> {
  for (const input of inputs) {
    await judge.filters.addRule(input).catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error;
    });
  }
}

/** Compares every verdict; returns how many events passed. */
export function compare(judge: Judge, events: readonly DescribedEvent[], plan: object): number {
  const list = judge.filters.list();
  const { generation } = judge.filters.getStatistics();
  const verdicts = judge.judge(events);
  const { enabledTypes, mode } = judge.filters;
  events.forEach((event, i) => {
    const expected = evaluate(list, enabledTypes, mode, event);
    const verdict = verdicts[i]!;
    const rule =
      expected.rules.length === 0 ? verdict.rule === 0 : expected.rules.includes(verdict.rule);
    if (
      verdict.pass === expected.pass &&
      verdict.shadowRejected === expected.shadowRejected &&
      verdict.generation === generation &&
      rule
    ) {
      return;
    }
    throw new Error(
      `the tables say ${JSON.stringify(verdict)}, generation is ${generation}, expected ` +
        `${JSON.stringify(expected)} for ${fc.stringify(event)}; ` +
        `rules ${JSON.stringify(list)}; ${fc.stringify(plan)}`,
    );
  });
  return verdicts.filter(({ pass }) => pass).length;
}

/** Judges from before are kept for other sizes of tables: loading takes longer than judging. */
export async function checkPairs(
  name: string,
  backend: Backend,
  { events, remote = false, runs }: PairOptions,
): Promise<{ readonly pairs: number; readonly passed: number }> {
  const judges = new Map<number, Judge>();
  const totals = { pairs: 0, passed: 0 };
  const property = fc.asyncProperty(plans, async (plan) => {
    let judge = judges.get(plan.capacity);
    if (judge === undefined) {
      judge = new Judge(backend, capacities(plan.capacity), 1, remote);
      judges.set(plan.capacity, judge);
    }
    const { filters } = judge;
    const random = new Xoshiro128(plan.seed);
    const described = Array.from({ length: events }, () => describedEvent(random));
    const half = described.length >> 1;
    await filters.configure([], plan.mode, plan.types);
    await addAll(judge, plan.rules);
    totals.passed += compare(judge, described.slice(0, half), plan);
    // From one rule set to the next by changes, and the same rules from scratch.
    for (const { id } of filters.list()) if (random.below(2) === 0) await filters.removeRule(id);
    await addAll(judge, plan.more);
    if (random.below(2) === 0) await filters.replaceAll(filters.list());
    totals.passed += compare(judge, described.slice(half), plan);
    totals.pairs += events;
  });
  try {
    await checkAsyncProperty(name, property, runs);
  } finally {
    for (const judge of judges.values()) judge.close();
  }
  return totals;
}
