/**
 * Rules change at any helper call of a program that judges by them, and still each event's verdict is
 * the one of exactly the generation stamped on it.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FILTER_TYPES } from "#core/filters/rule.ts";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { checkProperty } from "#property-tests/property.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { describedEvent, rules } from "./arbitraries.ts";
import { evaluate } from "./evaluator.ts";
import { Flipper, type FlipperOptions } from "./flips.ts";
import { Judge } from "./judge.ts";
import { capacities } from "./pairs.ts";

const CAPACITY = 40;
const EVENTS = 128;

let backend: WasmBackend;
let turn: () => void = () => {};

beforeAll(async () => {
  backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readFileSync("build/wasm/kernel_types.bpf.o"),
    cpus: 2,
    preempted: () => turn(),
  });
});
afterAll(() => backend.close());

const plans = fc.record({
  sets: fc.array(rules, { minLength: 2, maxLength: 6 }),
  seed: fc.integer(),
  interval: fc.constantFrom(1, 2, 5, 20),
});
const totals = { events: 0, flips: 0, waits: 0, generations: 0 };

function runPlan(
  { sets, seed, interval }: { sets: FlipperOptions["sets"]; seed: number; interval: number },
  defect?: FlipperOptions["defect"],
): void {
  const judge = new Judge(backend, capacities(CAPACITY), seed);
  try {
    const random = new Xoshiro128(seed);
    const options = { sets, capacity: CAPACITY, random, ...(defect ? { defect } : {}) };
    const flipper = new Flipper(judge, options);
    turn = () => flipper.step();
    backend.instance.exports.rt_preemption_set(interval);
    const events = Array.from({ length: EVENTS }, () => describedEvent(random));
    const verdicts = judge.judge(events);
    backend.instance.exports.rt_preemption_set(0);
    let last = 0;
    verdicts.forEach((verdict, i) => {
      const set = flipper.history.get(verdict.generation)!;
      const expected = evaluate(set, FILTER_TYPES, "allow", events[i]!);
      const rule =
        expected.rules.length === 0 ? verdict.rule === 0 : expected.rules.includes(verdict.rule);
      if (
        verdict.pass !== expected.pass ||
        verdict.shadowRejected !== expected.shadowRejected ||
        !rule ||
        verdict.generation < last
      ) {
        throw new Error(
          `event ${i}: ${JSON.stringify(verdict)}, its generation says ${JSON.stringify(expected)}`,
        );
      }
      last = verdict.generation;
    });
    totals.events += verdicts.length;
    totals.flips += flipper.flips;
    totals.waits += flipper.waits;
    totals.generations += new Set(verdicts.map(({ generation }) => generation)).size;
  } finally {
    turn = () => {};
    backend.instance.exports.rt_preemption_set(0);
    judge.close();
  }
}

test("each event is judged by exactly the generation on it", { timeout: 7_200_000 }, () => {
  const property = fc.property(plans, (plan) => runPlan(plan));
  checkProperty("filter generations", property);
  console.log(JSON.stringify(totals));
  expect(totals.flips).toBeGreaterThan(0);
  // The second way, under a mark, was taken, and a writer met it.
  expect(totals.waits).toBeGreaterThan(0);
});

test.each(["does not wait", "writes what is in force"] as const)(
  "a writer that %s is found out",
  (defect) => {
    const found = fc.check(
      fc.property(plans, (plan) => runPlan(plan, defect)),
      {
        numRuns: 300,
        seed: 1,
        endOnFailure: true,
      },
    );
    expect(found.failed).toBe(true);
  },
);
