/** The highest value of the last minutes, which decays as time passes. */

import { BpfError, ERRNO } from "#core/errors.ts";
import { requireBetween, requirePositive } from "./check_argument.ts";

export interface PeakWindowOptions {
  /** Longest span that can be asked for, in milliseconds; 5 minutes by default. */
  readonly span_ms?: number;
  /** Time covered by one bucket, in milliseconds; 1 second by default. */
  readonly bucket_ms?: number;
}

/**
 * Maxima in a ring of time buckets. A peak over S milliseconds covers at least the last S and less
 * than S plus one bucket. Time is passed in and never runs back: a value with an older time than
 * the newest seen counts as of the newest, so that none is lost.
 */
export class PeakWindow {
  readonly span_ms: number;
  readonly bucket_ms: number;
  readonly #maxima: Float64Array;
  #newest_bucket = Number.NEGATIVE_INFINITY;

  constructor(options: PeakWindowOptions = {}) {
    this.span_ms = options.span_ms ?? 300_000;
    this.bucket_ms = options.bucket_ms ?? 1_000;
    requirePositive("peak window", "bucket_ms", this.bucket_ms);
    requireBetween("peak window", "span_ms", this.span_ms, this.bucket_ms, this.bucket_ms * 1e6);
    this.#maxima = new Float64Array(Math.ceil(this.span_ms / this.bucket_ms) + 1);
    this.#maxima.fill(Number.NEGATIVE_INFINITY);
  }

  /** Records a value at a time; NaN is refused. Allocates nothing. */
  record(now_ms: number, value: number): void {
    if (Number.isNaN(value)) {
      throw new BpfError("record peak", "value is NaN", {
        errno: ERRNO.EINVAL,
        hint: "give a number",
      });
    }
    this.#advance(now_ms);
    const slot = this.#slot(this.#newest_bucket);
    if (value > this.#maxima[slot]!) this.#maxima[slot] = value;
  }

  /**
   * The highest value of the last `over_ms` milliseconds (at most `span_ms`), or undefined when
   * none was recorded in them.
   */
  peak(now_ms: number, over_ms: number = this.span_ms): number | undefined {
    requireBetween("read peak", "over_ms", over_ms, 0, this.span_ms);
    this.#advance(now_ms);
    const buckets = Math.ceil(over_ms / this.bucket_ms) + 1;
    let highest = Number.NEGATIVE_INFINITY;
    for (let back = 0; back < buckets; back += 1) {
      highest = Math.max(highest, this.#maxima[this.#slot(this.#newest_bucket - back)]!);
    }
    return highest === Number.NEGATIVE_INFINITY ? undefined : highest;
  }

  #slot(bucket: number): number {
    const length = this.#maxima.length;
    return ((bucket % length) + length) % length;
  }

  /** Moves to the bucket of `now_ms` and empties those that were passed over. */
  #advance(now_ms: number): void {
    if (!Number.isFinite(now_ms)) {
      throw new BpfError("peak window", `time is ${now_ms}`, {
        errno: ERRNO.EINVAL,
        hint: "give milliseconds of a monotonic clock",
      });
    }
    const bucket = Math.floor(now_ms / this.bucket_ms);
    if (bucket <= this.#newest_bucket) return;
    const passed = Math.min(bucket - this.#newest_bucket, this.#maxima.length);
    for (let back = 0; back < passed; back += 1) {
      this.#maxima[this.#slot(bucket - back)] = Number.NEGATIVE_INFINITY;
    }
    this.#newest_bucket = bucket;
  }
}
