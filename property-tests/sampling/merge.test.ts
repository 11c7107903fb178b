/** What CPUs and nodes sampled, merged in any order, against one accumulator that saw it all: the same bits. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateCount } from "#core/sampling/estimators/count.ts";
import { ClusterSample } from "#core/sampling/estimators/designs/cluster_sample.ts";
import { PoissonSample } from "#core/sampling/estimators/designs/poisson_sample.ts";
import { StratifiedSample } from "#core/sampling/estimators/designs/stratified_sample.ts";
import { GroupCounts } from "#core/sampling/estimators/group_counts.ts";
import { estimateMean } from "#core/sampling/estimators/mean.ts";
import { POISSON_DRAWS, QuantileSample } from "#core/sampling/estimators/quantile.ts";
import { estimateTotal } from "#core/sampling/estimators/total.ts";
import { checkProperty } from "../property.ts";

interface Event {
  readonly y: number;
  readonly pi: number;
  readonly key: number;
  readonly node: number;
}

const NODES = 3;
const event: fc.Arbitrary<Event> = fc.record({
  y: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ min: -1e9, max: 1e12, noNaN: true })),
  pi: fc.oneof(fc.constantFrom(1, 0.5, 0.1, 1e-6), fc.double({ min: 1e-9, max: 1, noNaN: true })),
  key: fc.nat({ max: 12 }),
  node: fc.nat({ max: NODES - 1 }),
});
const events = fc.array(event, { maxLength: 60 });

interface Mergeable<Self> {
  merge(other: Self): void;
}

/** `answer` of the whole and of the nodes' parts, merged backwards. */
function checkMerge<Sample extends Mergeable<Sample>>(
  create: () => Sample,
  add: (sample: Sample, event: Event) => void,
  answer: (sample: Sample) => unknown,
): void {
  checkProperty(
    "estimators merge",
    fc.property(events, (all) => {
      const whole = create();
      const nodes = Array.from({ length: NODES }, create);
      for (const each of all) {
        add(whole, each);
        add(nodes[each.node]!, each);
      }
      const merged = create();
      for (const node of nodes.reverse()) merged.merge(node);
      expect(answer(merged)).toEqual(answer(whole));
    }),
  );
}

describe("merged samples are that of the whole", () => {
  it("of independent draws", () => {
    checkMerge(
      () => new PoissonSample(),
      (sample, { y, pi }) => sample.add(y, pi),
      (sample) => [sample.totals(), estimateTotal(sample), estimateMean(sample)],
    );
  });

  it("of strata", () => {
    checkMerge(
      () => new StratifiedSample(),
      (sample, { y, key }) => {
        sample.addPopulation(String(key), 3);
        sample.add(String(key), y);
      },
      (sample) => [sample.totals(), estimateTotal(sample)],
    );
  });

  it.each([1000, 5])("of connections, %i sums at most", (limit) => {
    checkMerge(
      () => new ClusterSample(limit),
      (sample, { y, pi, key }) => sample.add(key * 2 ** 40, y, pi),
      (sample) => [sample.totals(), estimateTotal(sample)],
    );
  });

  it("of groups", () => {
    checkMerge(
      () => new GroupCounts(() => new PoissonSample()),
      (groups, { pi, key }) => groups.group(String(key)).add(1, pi),
      (groups) => [
        estimateCount(groups.whole()),
        [...groups.counts()].sort(([left], [right]) => (left < right ? -1 : 1)),
      ],
    );
  });

  it("of quantiles", () => {
    checkMerge(
      () => new QuantileSample(POISSON_DRAWS),
      (sample, { y, pi }) => sample.add(y, pi),
      (sample) => sample.estimate(0.5),
    );
  });
});
