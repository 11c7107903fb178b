/**
 * How large a ring would have to be to lose no more than a target share, from what was lost at its
 * present size.
 *
 * Between two looks at the ring, D bytes of records found no space although it held S. A ring of S + D
 * would have taken them, so a ring of S' loses at most max(0, D - (S' - S)) of that stretch. The forecast is
 * the smallest power of two at which these bounds, over all stretches, stay within the target. It is
 * conservative: a ring that was drained in between needs less.
 */

/** Stretches that are kept: the last hour at an interval of 5 s. */
export const STRETCHES_MAX = 720;

export class RingForecast {
  readonly #lost_bytes = new Float64Array(STRETCHES_MAX);
  readonly #offered_bytes = new Float64Array(STRETCHES_MAX);
  #next = 0;

  /** A stretch in which records of `offered_bytes` were wanted and `lost_bytes` of them not placed. */
  record(offered_bytes: number, lost_bytes: number): void {
    this.#offered_bytes[this.#next % STRETCHES_MAX] = offered_bytes;
    this.#lost_bytes[this.#next % STRETCHES_MAX] = lost_bytes;
    this.#next += 1;
  }

  /** Share that was lost in the stretches that are kept; 0 before the first. */
  get loss(): number {
    const offered = this.#offered_bytes.reduce((sum, bytes) => sum + bytes, 0);
    const lost = this.#lost_bytes.reduce((sum, bytes) => sum + bytes, 0);
    return offered === 0 ? 0 : lost / offered;
  }

  /** Bytes (a power of two) for a loss of at most `target` (a share), from a ring of `size_bytes`. */
  size(size_bytes: number, target: number): number {
    const offered = this.#offered_bytes.reduce((sum, bytes) => sum + bytes, 0);
    for (let size = size_bytes; ; size *= 2) {
      const added = size - size_bytes;
      const lost = this.#lost_bytes.reduce((sum, bytes) => sum + Math.max(0, bytes - added), 0);
      if (lost <= target * offered) return size;
    }
  }
}
