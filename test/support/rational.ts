/** Exact arithmetic for oracles: fractions of big integers, and doubles as the fractions that they are. */

function divisor(a: bigint, b: bigint): bigint {
  let [left, right] = [a < 0n ? -a : a, b];
  while (right !== 0n) [left, right] = [right, left % right];
  return left;
}

export class Rational {
  readonly top: bigint;
  readonly bottom: bigint;

  constructor(top: bigint, bottom = 1n) {
    const sign = bottom < 0n ? -1n : 1n;
    const common = divisor(top, sign * bottom);
    this.top = (sign * top) / common;
    this.bottom = (sign * bottom) / common;
  }

  static readonly ZERO = new Rational(0n);
  static readonly ONE = new Rational(1n);

  /** The fraction that a finite double is. */
  static of(value: number): Rational {
    let [scaled, bottom] = [value, 1n];
    while (!Number.isInteger(scaled)) [scaled, bottom] = [scaled * 2, bottom * 2n];
    return new Rational(BigInt(scaled), bottom);
  }

  plus(other: Rational): Rational {
    return new Rational(
      this.top * other.bottom + other.top * this.bottom,
      this.bottom * other.bottom,
    );
  }

  minus(other: Rational): Rational {
    return this.plus(new Rational(-other.top, other.bottom));
  }

  times(other: Rational): Rational {
    return new Rational(this.top * other.top, this.bottom * other.bottom);
  }

  over(other: Rational): Rational {
    return new Rational(this.top * other.bottom, this.bottom * other.top);
  }

  isEqual(other: Rational): boolean {
    return this.top === other.top && this.bottom === other.bottom;
  }

  /** The nearest double, or one of its neighbours. */
  toNumber(): number {
    const shift = 2n ** 80n;
    return Number((this.top * shift) / this.bottom) / 2 ** 80;
  }
}

export function sumOf(values: Iterable<Rational>): Rational {
  let sum = Rational.ZERO;
  for (const value of values) sum = sum.plus(value);
  return sum;
}
