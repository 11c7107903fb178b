/** Damage to files: what storage, transport and malice do to bytes. */

import fc from "fast-check";

export type Damage =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "write"; readonly at: number; readonly bytes: number; readonly value: bigint }
  | { readonly kind: "cut"; readonly length: number }
  | {
      /** Bytes of another file (or another place) over these. */
      readonly kind: "splice";
      readonly at: number;
      readonly from: number;
      readonly length: number;
      readonly donor: number;
    };

/** A stretch of a file that is worth damaging. */
export interface Region {
  readonly start: number;
  readonly length: number;
}

/** Numbers around which checks of sizes and offsets go wrong. */
const EXTREMES = [
  0n,
  1n,
  2n,
  7n,
  8n,
  0x7fn,
  0xffn,
  0xff00n,
  0x7fffn,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fff8n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_fff8n,
  0xffff_ffff_ffff_ffffn,
];

/** One to six pieces of damage, most of them in a region. */
export function damageOf(size: number, regions: readonly Region[]): fc.Arbitrary<Damage[]> {
  const anywhere = fc.nat(size - 1);
  const inRegion = fc
    .constantFrom(...regions.filter(({ length }) => length > 0))
    .chain(({ start, length }) => fc.nat(length - 1).map((offset) => start + offset));
  const at = fc.oneof({ weight: 1, arbitrary: anywhere }, { weight: 5, arbitrary: inRegion });
  const value = fc.oneof(
    fc.constantFrom(...EXTREMES),
    fc.nat(64).map(BigInt),
    fc.nat(size).map(BigInt),
    fc.bigInt(0n, (1n << 64n) - 1n),
  );
  const bytes = fc.constantFrom(1, 2, 4, 8);
  const aligned = fc.tuple(at, bytes).map(([position, width]) => position - (position % width));
  const damage = fc.oneof<fc.MaybeWeightedArbitrary<Damage>[]>(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant("flip"), at, bit: fc.nat(7) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant("write"), at: aligned, bytes, value }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut"), length: anywhere }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant("splice"),
        at,
        from: anywhere,
        length: fc.integer({ min: 1, max: 96 }),
        donor: fc.nat(99),
      }),
    },
  );
  return fc.array(damage, { minLength: 1, maxLength: 6 });
}

/** A damaged copy of `file`; `donors` are where spliced bytes come from. */
export function damaged(
  file: Uint8Array,
  damages: readonly Damage[],
  donors: readonly Uint8Array[],
): Uint8Array {
  let bytes = file.slice();
  for (const damage of damages) {
    switch (damage.kind) {
      case "flip":
        if (damage.at < bytes.length) bytes[damage.at]! ^= 1 << damage.bit;
        break;
      case "write": {
        let rest = damage.value;
        const end = Math.min(damage.at + damage.bytes, bytes.length);
        for (let i = damage.at; i < end; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
        break;
      }
      case "cut":
        bytes = bytes.slice(0, damage.length);
        break;
      case "splice": {
        const donor = donors[damage.donor % donors.length]!;
        const from = donor.subarray(damage.from, damage.from + damage.length);
        bytes.set(
          from.subarray(0, Math.max(0, bytes.length - damage.at)),
          Math.min(damage.at, bytes.length),
        );
      }
    }
  }
  return bytes;
}
