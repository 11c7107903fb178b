/** What `bpf_get_prandom_u32` yields to programs of a machine with this seed (runtime/random.c, runtime/world.c). */
import { Xoshiro128 } from "#core/random/xoshiro128.ts";

const mask64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** SplitMix64 spreads the seed over the state. `seed` has 64 bits. */
export function programRandom(seed: bigint): Xoshiro128 {
  let state = seed;
  const word = (): bigint => {
    state = mask64(state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = mask64((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = mask64((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return z ^ (z >> 31n);
  };
  const low = word();
  const high = word();
  const words = [low, low >> 32n, high, (high >> 32n) | 1n];
  return Xoshiro128.fromState(words.map((each) => Number(each & 0xffffffffn)));
}
