/**
 * xoshiro128**, a small seeded generator for simulations (Blackman and Vigna, 2018). Not for
 * secrets. The same seed gives the same stream everywhere.
 */

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

export class Xoshiro128 {
  readonly #state: Uint32Array;

  /** `seed` is a 32-bit integer; SplitMix32 spreads it over the state. */
  constructor(seed: number) {
    this.#state = new Uint32Array(4);
    let mix = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mix = (mix + 0x9e3779b9) >>> 0;
      let word = mix;
      word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
      word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
      this.#state[i] = word ^ (word >>> 16);
    }
  }

  /** A generator that goes on from a state: four words, not all of them 0. */
  static fromState(words: ArrayLike<number>): Xoshiro128 {
    const generator = new Xoshiro128(0);
    generator.#state.set(words);
    return generator;
  }

  /** Uniform on [0, 2^32). */
  u32(): number {
    const s = this.#state;
    const result = Math.imul(rotateLeft(Math.imul(s[1]!, 5), 7), 9) >>> 0;
    const carried = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= carried;
    s[3] = rotateLeft(s[3]!, 11);
    return result;
  }

  /** Uniform on (0, 1), 53 bits; never 0, so that logarithms are finite. */
  uniform(): number {
    const high = this.u32() >>> 5;
    const low = this.u32() >>> 6;
    return (high * 67108864 + low + 0.5) / 9007199254740992;
  }

  /** Uniform on the integers [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }

  /** Lognormal by its median and the standard deviation of its logarithm. */
  lognormal(median: number, sigma: number): number {
    // Box-Muller, one of the pair: a cached second would make the stream depend on call order.
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * this.uniform()));
  }

  /** Pareto with the given minimum and tail index. */
  pareto(minimum: number, alpha: number): number {
    return minimum / this.uniform() ** (1 / alpha);
  }
}
