/**
 * Rates that aim at a number of kept events a second: feed-forward from exact counts.
 *
 * The rate of a type follows from what the type offers, never from what was kept, so there is no loop that
 * could oscillate: with the load known, the right rate is known. Loads are estimated from counts of an
 * interval; a count that the estimate does not explain (a step) replaces it, others are averaged in.
 *
 * Budget that a type does not need goes to the others: every type gets the same rate, but within its floor and
 * the ceiling (water filling), which is what keeps most events at equal weights.
 */

export interface AdaptiveSettings {
  readonly target_events_per_s: number;
  readonly min_rate: number;
  readonly max_rate: number;
}

/** Weight of the newest interval while nothing changes. */
const SMOOTHING = 0.3;
/** A count this many standard deviations away is a step. */
const STEP_DEVIATIONS = 5;

export class AdaptiveController {
  readonly #settings: AdaptiveSettings;
  readonly #floors: ReadonlyMap<number, number>;
  readonly #load_per_s = new Map<number, number>();
  #rates = new Map<number, number>();

  /** `floors`: least rates of single types, by number, where they are above `min_rate`. */
  constructor(settings: AdaptiveSettings, floors: ReadonlyMap<number, number> = new Map()) {
    this.#settings = settings;
    this.#floors = floors;
  }

  /** Rate of a type; one that was never seen gets the highest. */
  rateOf(type: number): number {
    return this.#rates.get(type) ?? this.#settings.max_rate;
  }

  /**
   * Takes how many events each type offered in the last `interval_s`. Rates for the next interval depend on
   * past events only, so weights stay unbiased.
   */
  update(offered: ReadonlyMap<number, number>, interval_s: number): void {
    if (!(interval_s > 0)) return;
    for (const [type, count] of offered) this.#estimate(type, count, interval_s);
    this.#rates = this.#fill();
  }

  #estimate(type: number, count: number, interval_s: number): void {
    const load = count / interval_s;
    const before = this.#load_per_s.get(type);
    if (before === undefined) {
      if (count > 0) this.#load_per_s.set(type, load);
      return;
    }
    const expected = before * interval_s;
    const deviation = Math.sqrt(Math.max(expected, count, 1));
    const isStep = Math.abs(count - expected) > STEP_DEVIATIONS * deviation;
    this.#load_per_s.set(type, isStep ? load : before + SMOOTHING * (load - before));
  }

  /** One rate for all, but floors and ceiling: types at their floor leave less for the others. */
  #fill(): Map<number, number> {
    const { target_events_per_s, max_rate } = this.#settings;
    const rates = new Map<number, number>();
    const open = new Map([...this.#load_per_s].filter(([, load]) => load > 0));
    let budget = target_events_per_s;
    for (;;) {
      const load = [...open.values()].reduce((sum, each) => sum + each, 0);
      const common = Math.min(max_rate, Math.max(0, budget) / load);
      const atFloor = [...open].filter(([type]) => this.#floorOf(type) > common);
      for (const [type, each] of atFloor) {
        rates.set(type, this.#floorOf(type));
        budget -= each * this.#floorOf(type);
        open.delete(type);
      }
      if (atFloor.length > 0) continue;
      for (const type of open.keys()) rates.set(type, common);
      return rates;
    }
  }

  #floorOf(type: number): number {
    return Math.max(this.#settings.min_rate, this.#floors.get(type) ?? 0);
  }
}
