/**
 * By how much sampling rates have to shrink for the sinks to keep up: a multiplier from its minimum to 1, the smaller
 * of two.
 *
 * - *Line*: batches stand in line although they are as large as they may be, so waiting cannot be cured by
 *   batch size. While the line stands, the sink works without a pause, and what it acknowledges in a time is what it
 *   can take: the multiplier follows from that and from the load, which the multiplier in force makes
 *   known, so no loop has to find it. Without a line the limit is not visible; the multiplier then grows in
 *   steps that begin small, one for each look that saw an acknowledgement, so a slow sink is asked slowly.
 * - *Fill*: how full the fullest store is (ring, memory, log). A fixed, falling function of it: 1 up to half full,
 *   the minimum from nine tenths on. A store integrates what is too much, so this finds the rate at which
 *   it stays as it is.
 */

/** Since the look before; counts are cumulative. */
export interface Pressure {
  /** Events that came in, after sampling. */
  readonly received: number;
  /** Events whose fate is settled. */
  readonly settled: number;
  /**
   * How long the next batch had waited when a sink took one; the shortest of these. 0 where none waited, undefined
   * where no sink took any.
   */
  readonly line_ms: number | undefined;
  /** Part of the fullest bounded store that is in use, 0 to 1. */
  readonly fill: number;
}

export interface LoadShedderOptions {
  readonly min_multiplier: number;
  /** A shorter line is no reason to shed. */
  readonly target_ms: number;
}

/** Part of the sink's throughput that is used while shedding; the rest works off the line. */
const UTILIZATION = 0.9;
const LOAD_SMOOTHING = 0.2;
/** Of earlier looks in the measured throughput. */
const THROUGHPUT_MEMORY = 0.8;
/** Growth of the multiplier at the first look without a line; it gets as much more at each further one. */
const STEP = 0.002;
const STEP_MAX = 0.1;
/** Between these fills the multiplier falls from 1 to its minimum. */
const FILL_BEGIN = 0.5;
const FILL_END = 0.9;

export class LoadShedder {
  readonly #options: LoadShedderOptions;
  /** What the line asks for. */
  #allowed = 1;
  #multiplier = 1;
  /** At the last look; undefined before the first, which only shows where counting begins. */
  #received: number | undefined;
  /** Events a millisecond that would come with a multiplier of 1. */
  #load = 0;
  readonly #throughput = { events: 0, time_ms: 0 };
  /** At the last look at which a sink took a batch. */
  #taken = { settled: 0, ago_ms: 0, line: false };
  #step = STEP;

  constructor(options: LoadShedderOptions) {
    this.#options = options;
  }

  /** In force until the next `update`. */
  get multiplier(): number {
    return this.#multiplier;
  }

  /** Takes in what happened in the last `elapsed_ms`; returns the multiplier from now on. */
  update(pressure: Pressure, elapsed_ms: number): number {
    if (!(elapsed_ms > 0)) return this.#multiplier;
    const before = this.#received ?? pressure.received;
    const offered = (pressure.received - before) / this.#multiplier;
    this.#received = pressure.received;
    this.#load += LOAD_SMOOTHING * (offered / elapsed_ms - this.#load);
    this.#taken.ago_ms += elapsed_ms;
    if (pressure.line_ms !== undefined) this.#look(pressure.line_ms, pressure.settled);
    const { min_multiplier } = this.#options;
    const full = (pressure.fill - FILL_BEGIN) / (FILL_END - FILL_BEGIN);
    const byFill = min_multiplier ** Math.min(1, Math.max(0, full));
    this.#multiplier = Math.max(min_multiplier, Math.min(this.#allowed, byFill));
    return this.#multiplier;
  }

  #look(line_ms: number, settled: number): void {
    const before = this.#taken;
    const line = line_ms > this.#options.target_ms;
    this.#taken = { settled, ago_ms: 0, line };
    if (!line) {
      this.#allowed = Math.min(1, this.#allowed * (1 + this.#step));
      this.#step = Math.min(STEP_MAX, this.#step + STEP);
      Object.assign(this.#throughput, { events: 0, time_ms: 0 });
      return;
    }
    this.#step = STEP;
    // The time before the first look with a line was not all work.
    if (before.line) this.#limit(settled - before.settled, before.ago_ms);
  }

  /** Takes in what the sink did with a line in front of it. */
  #limit(events: number, time_ms: number): void {
    const throughput = this.#throughput;
    throughput.events = THROUGHPUT_MEMORY * throughput.events + events;
    throughput.time_ms = THROUGHPUT_MEMORY * throughput.time_ms + time_ms;
    const capacity = throughput.events / throughput.time_ms;
    if (this.#load * this.#allowed <= capacity) return;
    const wanted = (UTILIZATION * capacity) / this.#load;
    this.#allowed = Math.min(1, Math.max(this.#options.min_multiplier, wanted));
  }
}
