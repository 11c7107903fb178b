/** Exact sums of first, second and third moments of a pair (y, x). */
import { ExactSum } from "../../../stats/exact_sum.ts";

export class PairSums {
  readonly y = new ExactSum();
  readonly x = new ExactSum();
  readonly yy = new ExactSum();
  readonly xy = new ExactSum();
  readonly xx = new ExactSum();
  readonly yyy = new ExactSum();
  readonly yyx = new ExactSum();
  readonly yxx = new ExactSum();
  readonly xxx = new ExactSum();

  /** Adds y and x, their products times `second`, and those of three times `third`; all of it `times` over. */
  add(y: number, x: number, second: number, third: number, times: number): void {
    this.addFirst(y, x, times);
    // A draw that was certain has no part in any variance.
    if (second !== 0) this.addSecond(second * y * y, second * x * y, second * x * x, times);
    if (third !== 0) this.addThird(y, x, third, times);
  }

  addFirst(y: number, x: number, times: number): void {
    this.y.addTimes(y, times);
    this.x.addTimes(x, times);
  }

  addSecond(yy: number, xy: number, xx: number, times: number): void {
    this.yy.addTimes(yy, times);
    this.xy.addTimes(xy, times);
    this.xx.addTimes(xx, times);
  }

  addThird(y: number, x: number, factor: number, times: number): void {
    this.yyy.addTimes(factor * y * y * y, times);
    this.yyx.addTimes(factor * y * y * x, times);
    this.yxx.addTimes(factor * y * x * x, times);
    this.xxx.addTimes(factor * x * x * x, times);
  }

  merge(other: PairSums): void {
    for (const name of NAMES) this[name].merge(other[name]);
  }

  get third(): [number, number, number, number] {
    return [this.yyy.value, this.yyx.value, this.yxx.value, this.xxx.value];
  }
}

const NAMES = ["y", "x", "yy", "xy", "xx", "yyy", "yyx", "yxx", "xxx"] as const;
