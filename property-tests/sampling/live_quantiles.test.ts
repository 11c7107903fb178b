/** Quantiles from a sample of bounded size, against one that is cut down by hand. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  CLUSTER_DRAWS,
  POISSON_DRAWS,
  QuantileSample,
} from "#core/sampling/estimators/quantile.ts";
import { LiveQuantiles } from "#core/sampling/live_quantiles.ts";
import { checkProperty } from "../property.ts";

const PS = [0, 0.5, 0.95, 1];
const RANDOMNESS_LIMIT = 2 ** 53;
/** R in sixteenths, so that many events share one as those of a connection do. */
const STEP = RANDOMNESS_LIMIT / 16;

const event = fc.record({
  sixteenth: fc.integer({ min: 8, max: 15 }),
  offset: fc.nat({ max: 3 }),
  pi: fc.constantFrom(1, 0.5, 0.75),
  value: fc.oneof(fc.nat({ max: 9 }), fc.double({ min: 0, max: 1e12, noNaN: true })),
});
const kept = fc
  .array(event, { maxLength: 40 })
  .map((events) =>
    events.map(({ sixteenth, offset, ...each }) => ({ ...each, r: sixteenth * STEP + offset })),
  );

/** The smallest threshold that leaves at most `limit` events: 0, or just above an event's R. */
function thresholdOf(randomness: readonly number[], limit: number): number {
  const candidates = [0, ...randomness.map((r) => r + 1)].sort((left, right) => left - right);
  return candidates.find((t) => randomness.filter((r) => r >= t).length <= limit)!;
}

it.each([false, true])("keep those with the largest R; of connections: %s", (ofConnections) => {
  checkProperty(
    "live quantiles",
    fc.property(kept, fc.integer({ min: 1, max: 40 }), (events, limit) => {
      const live = new LiveQuantiles(limit);
      for (const { r, pi, value } of events) live.add(r, pi, value);
      const threshold = thresholdOf(
        events.map(({ r }) => r),
        limit,
      );
      const most = 1 - threshold / RANDOMNESS_LIMIT;
      const single = new QuantileSample(POISSON_DRAWS);
      const clustered = new QuantileSample(CLUSTER_DRAWS);
      for (const { r, pi, value } of events.filter((each) => each.r >= threshold)) {
        const draw = { randomness: r, pi: Math.min(pi, most) };
        single.add(value, draw.pi);
        clustered.add(value, draw);
      }
      const expected = ofConnections ? clustered : single;
      expect(live.estimates(PS, ofConnections)).toEqual(expected.estimates(PS));
    }),
  );
});
