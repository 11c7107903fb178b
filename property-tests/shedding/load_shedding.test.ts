/** Load shedding in virtual time: estimates stay unbiased, the multiplier settles, and drops are the last resort. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Xoshiro128 } from "#core/random/xoshiro128.ts";
import { checkAsyncProperty } from "../property.ts";
import { type Outcome, runScenario, type Service } from "./shedding_run.ts";

const BATCH_MAX = 1000;
const MIN_MULTIPLIER = 0.01;

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const load = fc.integer({ min: 500, max: 3000 });
/** Part of a full batch's service time that does not depend on its size. */
const fixedShare = fc.double({ min: 0, max: 0.9, noNaN: true });

/** A sink that takes `perSecond` events in full batches. */
function serviceOf(perSecond: number, share: number): Service {
  const full_ms = (1000 * BATCH_MAX) / perSecond;
  return { fixed_ms: share * full_ms, perEvent_ms: ((1 - share) * full_ms) / BATCH_MAX };
}

function seededRandom(from: number): () => number {
  const generator = new Xoshiro128(from);
  return () => generator.uniform();
}

function expectUnbiased({ estimate, deviation, offered }: Outcome): void {
  // Six deviations: never by chance. Without shedding the deviation is 0 and the estimate exact.
  expect(Math.abs(estimate - offered)).toBeLessThanOrEqual(6 * deviation + 1e-6 * offered);
}

it("sheds nothing from a sink that keeps up, whatever its batches cost and the load's bursts", async () => {
  const property = fc.asyncProperty(
    seed,
    load,
    fc.double({ min: 1.25, max: 20, noNaN: true }),
    fixedShare,
    fc.integer({ min: 0, max: 1500 }),
    async (from, load_per_s, room, share, burst) => {
      const random = seededRandom(from);
      const { looks, dropped, estimate, offered } = await runScenario({
        // A burst comes within 20 ms, once in three seconds.
        load_per_s: (now_ms) => load_per_s + (now_ms % 3000 < 20 ? burst * 50 : 0),
        service: () => serviceOf((load_per_s + burst / 3) * room, share),
        errorShare: 0.01,
        duration_ms: 12_000,
        buffer_bytes: 4 << 20,
        min_multiplier: MIN_MULTIPLIER,
        random,
      });
      expect(Math.min(...looks.map(({ multiplier }) => multiplier))).toBe(1);
      expect(dropped).toBe(0);
      expect(estimate).toBe(offered);
    },
  );
  await checkAsyncProperty("shedding: sinks that keep up", property);
});

it("settles at what an overloaded sink takes, without bias, loss or oscillation, and recovers", async () => {
  const END_MS = 20_000;
  const property = fc.asyncProperty(
    seed,
    fc.integer({ min: 800, max: 1600 }),
    fc.double({ min: 1.3, max: 4, noNaN: true }),
    fixedShare,
    fc.double({ min: 0, max: 0.05, noNaN: true }),
    async (from, capacity, overload, share, errorShare) => {
      const load_per_s = capacity * overload;
      const outcome = await runScenario({
        load_per_s: () => load_per_s,
        service: (now_ms) => serviceOf(now_ms < END_MS ? capacity : 5 * load_per_s, share),
        errorShare,
        duration_ms: END_MS + 15_000,
        buffer_bytes: 8 << 20,
        min_multiplier: MIN_MULTIPLIER,
        random: seededRandom(from),
      });
      const { looks, dropped, errorsDelivered, errorsOffered } = outcome;
      expectUnbiased(outcome);
      expect(dropped).toBe(0);
      expect(errorsDelivered).toBe(errorsOffered);
      const ideal = (capacity / load_per_s - errorShare) / (1 - errorShare);
      const settled = looks.filter(({ at_ms }) => at_ms > 10_000 && at_ms <= END_MS);
      const multipliers = settled.map(({ multiplier }) => multiplier);
      expect(Math.min(...multipliers)).toBeGreaterThan(0.5 * ideal);
      expect(Math.max(...multipliers)).toBeLessThan(1.5 * ideal);
      const recovery = looks.filter(({ at_ms }) => at_ms > END_MS + 100);
      recovery.slice(1).forEach(({ multiplier }, i) => {
        expect(multiplier).toBeGreaterThanOrEqual(recovery[i]!.multiplier);
      });
      expect(recovery.at(-1)!.multiplier).toBe(1);
    },
  );
  await checkAsyncProperty("shedding: overload", property);
});

it("drops only what memory cannot hold at the least multiplier, and never errors before", async () => {
  const END_MS = 30_000;
  const property = fc.asyncProperty(
    seed,
    fc.integer({ min: 1000, max: 3000 }),
    fc.integer({ min: 5, max: 60 }),
    fc.constantFrom(0.01, 0.1, 0.5),
    async (from, load_per_s, capacity, min_multiplier) => {
      const outcome = await runScenario({
        load_per_s: () => load_per_s,
        // All but dead, after three seconds and until the load ends.
        service: (now_ms) => {
          const alive = now_ms < 3000 || now_ms >= END_MS;
          return serviceOf(alive ? 2 * load_per_s : capacity, 0.2);
        },
        errorShare: 0.02,
        duration_ms: END_MS,
        buffer_bytes: 1 << 20,
        min_multiplier,
        random: seededRandom(from),
      });
      const { looks, dropped } = outcome;
      looks.slice(1).forEach((look, i) => {
        if (look.dropped === looks[i]!.dropped) return;
        // Changes of 2 % are not worth an epoch.
        expect(look.multiplier).toBeLessThan(1.03 * min_multiplier);
      });
      if (dropped === 0) expectUnbiased(outcome);
    },
  );
  await checkAsyncProperty("shedding: full memory", property);
});
