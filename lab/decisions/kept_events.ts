/** Events that were kept, in order, by columns. Used again for every replication. */

const TWO_24 = 2 ** 24;
const LIMIT = 2 ** 56;

export class KeptEvents {
  count = 0;
  /** Numbers of the events. */
  readonly numbers: Uint32Array;
  /** Inclusion probabilities. */
  readonly pis: Float64Array;
  /** R: its upper 32 bits, and the other 24. */
  readonly highs: Uint32Array;
  readonly lows: Uint32Array;

  constructor(capacity: number) {
    this.numbers = new Uint32Array(capacity);
    this.pis = new Float64Array(capacity);
    this.highs = new Uint32Array(capacity);
    this.lows = new Uint32Array(capacity);
  }

  add(number: number, pi: number, high: number, low: number): void {
    const at = this.count++;
    this.numbers[at] = number;
    this.pis[at] = pi;
    this.highs[at] = high;
    this.lows[at] = low;
  }

  /** (R + 1/2) / 2^56, within (0, 1): the chance of event `at` of this list, for what user space decides. */
  uniformAt(at: number): number {
    return (this.highs[at]! * TWO_24 + this.lows[at]! + 0.5) / LIMIT;
  }
}
