/**
 * Chooses the batch size for a target sojourn time (event to acknowledgement).
 *
 * Sending a batch of b events takes s(b) = a + c b. With events coming at rate r, batches of b keep up only if
 * s(b) < b / r, so b must be above a r / (1 - c r): the stability floor. Shrinking batches because they are late, which
 * is what the original did, goes below that floor when the service gets slower, and the queue then grows without
 * end. Here a and c are fitted by recursive least squares with forgetting, the size never goes below 1.25 times the
 * floor, and above it moves by additive increase and multiplicative decrease.
 */

export interface BatchControllerOptions {
  readonly min_batch_size: number;
  readonly max_batch_size: number;
  readonly target_latency_ms: number;
}

const FORGETTING = 0.97;
const FLOOR_MARGIN = 1.25;
const DECREASE = 0.9;
const RATE_SMOOTHING = 0.3;

export class BatchController {
  readonly #options: BatchControllerOptions;
  #size: number;
  /** Weighted sums of the fit: of 1, b, b², s, b s. */
  #sums = { one: 0, b: 0, bb: 0, s: 0, bs: 0 };
  #rate_per_ms = 0;

  constructor(options: BatchControllerOptions) {
    this.#options = options;
    this.#size = Math.min(options.max_batch_size, Math.max(options.min_batch_size, 100));
  }

  /** Events to gather before a batch is sent. */
  get size(): number {
    return Math.round(this.#size);
  }

  /** Events that came in `elapsed_ms`. */
  arrived(count: number, elapsed_ms: number): void {
    if (!(elapsed_ms > 0)) return;
    const rate = count / elapsed_ms;
    this.#rate_per_ms += RATE_SMOOTHING * (rate - this.#rate_per_ms);
  }

  /** A batch of `size` events took `service_ms` to send; its oldest event waited `sojourn_ms` in all. */
  sent(size: number, service_ms: number, sojourn_ms: number): void {
    const sums = this.#sums;
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] *= FORGETTING;
    sums.one += 1;
    sums.b += size;
    sums.bb += size * size;
    sums.s += service_ms;
    sums.bs += size * service_ms;
    const { min_batch_size, max_batch_size, target_latency_ms } = this.#options;
    const floor = FLOOR_MARGIN * this.floor();
    const late = sojourn_ms > target_latency_ms;
    // Late at the floor or below it: only larger batches catch up.
    if (late && this.#size > floor) this.#size *= DECREASE;
    else this.#size += Math.max(1, 0.02 * this.#size);
    this.#size = Math.min(max_batch_size, Math.max(min_batch_size, this.#size, floor));
  }

  /** Fixed and per-event cost in milliseconds, as fitted. */
  fit(): { readonly fixed_ms: number; readonly perEvent_ms: number } {
    const { one, b, bb, s, bs } = this.#sums;
    if (one === 0) return { fixed_ms: 0, perEvent_ms: 0 };
    const spread = bb - (b * b) / one;
    const slope = spread > 1e-9 * bb ? (bs - (b * s) / one) / spread : 0;
    const perEvent_ms = Math.max(0, slope);
    return { fixed_ms: Math.max(0, (s - perEvent_ms * b) / one), perEvent_ms };
  }

  /** The smallest batch size that keeps up; Infinity where none does. */
  floor(): number {
    const { fixed_ms, perEvent_ms } = this.fit();
    const load = this.#rate_per_ms * perEvent_ms;
    return load >= 1 ? Number.POSITIVE_INFINITY : (this.#rate_per_ms * fixed_ms) / (1 - load);
  }

  /**
   * By how much the load has to shrink for the largest batches to keep up: 1 while they do. Raising the sampling
   * threshold by this factor sheds with known probabilities, where dropping would not.
   */
  overload(): number {
    const { fixed_ms, perEvent_ms } = this.fit();
    const { max_batch_size } = this.#options;
    const service_ms = fixed_ms + perEvent_ms * max_batch_size;
    const capacity_per_ms = service_ms > 0 ? max_batch_size / service_ms : Number.POSITIVE_INFINITY;
    return Math.max(1, this.#rate_per_ms / capacity_per_ms);
  }
}
