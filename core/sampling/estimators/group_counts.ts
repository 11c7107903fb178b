/** Domain estimation: how many events each group has, and what is true of them, from one sample. */

import { countOfTotals } from "./count.ts";
import type { DesignSample } from "./designs/pair_totals.ts";
import type { Estimate, EstimateOptions } from "./estimate.ts";
import { estimateDomainMean } from "./mean.ts";
import { estimateShare, type ProportionOptions } from "./proportion.ts";

/** Groups that are kept apart; events of further ones are together in `OTHER_GROUP`. */
export const GROUPS_MAX = 10_000;
export const OTHER_GROUP = "(other)";

interface GroupSample<Sample> extends DesignSample<Sample> {
  merge(other: Sample): void;
}

/**
 * Sampled events by group; the groups together are the sample. Events are added to `group(name)`, as the design has
 * it: `counts.group("ssh").add(1, pi)`. Merges exactly while there are at most `limit` groups.
 */
export class GroupCounts<Sample extends GroupSample<Sample>> {
  readonly #create: () => Sample;
  readonly #limit: number;
  readonly #groups = new Map<string, Sample>();
  /** What belongs to no group: sizes of strata, and sampled events outside of all groups. */
  readonly rest: Sample;

  /** `create` makes an empty sample of the design. */
  constructor(create: () => Sample, limit = GROUPS_MAX) {
    this.#create = create;
    this.#limit = limit;
    this.rest = create();
  }

  /** The sampled events of a group. */
  group(name: string): Sample {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    if (this.#groups.size >= this.#limit && name !== OTHER_GROUP) return this.group(OTHER_GROUP);
    const created = this.#create();
    this.#groups.set(name, created);
    return created;
  }

  merge(other: GroupCounts<Sample>): void {
    this.rest.merge(other.rest);
    for (const [name, sample] of other.#groups) this.group(name).merge(sample);
  }

  /** The sample as a whole. */
  whole(): Sample {
    const whole = this.#create();
    whole.merge(this.rest);
    for (const sample of this.#groups.values()) whole.merge(sample);
    return whole;
  }

  /** Number of events of each group, of which every sampled event was added with y = 1. */
  counts(options: EstimateOptions = {}): Map<string, Estimate> {
    return this.#each((part, whole) => countOfTotals(part.totals(whole), options));
  }

  /** Part of all events that each group makes up. */
  shares(options: ProportionOptions = {}): Map<string, Estimate> {
    return this.#each((part, whole) => estimateShare(part, whole, options));
  }

  /** Mean of y over each group. */
  means(options: EstimateOptions = {}): Map<string, Estimate> {
    return this.#each((part, whole) => estimateDomainMean(part, whole, options));
  }

  #each(estimate: (part: Sample, whole: Sample) => Estimate): Map<string, Estimate> {
    const whole = this.whole();
    return new Map([...this.#groups].map(([name, part]) => [name, estimate(part, whole)]));
  }
}
