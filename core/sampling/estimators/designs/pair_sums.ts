/** Exact sums of the first four moments of a pair (y, x). */
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
  readonly yyyy = new ExactSum();
  readonly yyyx = new ExactSum();
  readonly yyxx = new ExactSum();
  readonly yxxx = new ExactSum();
  readonly xxxx = new ExactSum();

  /** Adds y and x, and products of n of them times `rest` to the power of n - 1; all of it `times` over. */
  add(y: number, x: number, rest: number, times: number): void {
    this.addFirst(y, x, times);
    // A draw that was certain has no part in any variance.
    if (rest === 0) return;
    this.addSecond(rest * y * y, rest * x * y, rest * x * x, times);
    this.addHigher(y, x, rest, times);
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

  /** Products of three and of four, times the square and the cube of `rest`. */
  addHigher(y: number, x: number, rest: number, times: number): void {
    const [yy, xx] = [rest * y * y, rest * x * x];
    const [restY, restX] = [rest * y, rest * x];
    this.yyy.addTimes(yy * restY, times);
    this.yyx.addTimes(yy * restX, times);
    this.yxx.addTimes(xx * restY, times);
    this.xxx.addTimes(xx * restX, times);
    this.yyyy.addTimes(rest * yy * yy, times);
    this.yyyx.addTimes(yy * restY * restX, times);
    this.yyxx.addTimes(rest * yy * xx, times);
    this.yxxx.addTimes(xx * restY * restX, times);
    this.xxxx.addTimes(rest * xx * xx, times);
  }

  merge(other: PairSums): void {
    for (const name of NAMES) this[name].merge(other[name]);
  }

  get third(): [number, number, number, number] {
    return [this.yyy.value, this.yyx.value, this.yxx.value, this.xxx.value];
  }

  get fourth(): [number, number, number, number, number] {
    const { yyyy, yyyx, yyxx, yxxx, xxxx } = this;
    return [yyyy.value, yyyx.value, yyxx.value, yxxx.value, xxxx.value];
  }
}

const NAMES = [
  ...(["y", "x", "yy", "xy", "xx", "yyy", "yyx", "yxx", "xxx"] as const),
  ...(["yyyy", "yyyx", "yyxx", "yxxx", "xxxx"] as const),
];
