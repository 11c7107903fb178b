/** Sums without rounding against whole numbers as large as need be. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { ExactSum } from "#core/stats/exact_sum.ts";

const SCALE = 2 ** 300;
/** Multiples of 2^-300, so that a double times 2^300 is a whole number. */
const value = fc
  .tuple(fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }), fc.integer({ min: -300, max: 400 }))
  .map(([digits, exponent]) => digits * 2 ** exponent);

/** The exact sum, rounded once: BigInt to Number rounds to nearest, halves to even. */
const exact = (values: readonly number[]) =>
  Number(values.reduce((sum, each) => sum + BigInt(each * SCALE), 0n)) / SCALE;

const sumOf = (values: readonly number[]) => {
  const sum = new ExactSum();
  for (const each of values) sum.add(each);
  return sum;
};

it("is the exact sum, rounded once, however it was put together", () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 40 }), fc.nat(), (values, seed) => {
      const wanted = exact(values);
      expect(sumOf(values).value).toBe(wanted);
      const cut = seed % (values.length + 1);
      const merged = sumOf(values.slice(cut).reverse());
      merged.merge(sumOf(values.slice(0, cut)));
      expect(merged.value).toBe(wanted);
    }),
    { numRuns: 500 },
  );
});

it("decides halves by what is far below", () => {
  expect(sumOf([1, 2 ** -53]).value).toBe(1);
  expect(sumOf([1, 2 ** -53, 2 ** -200]).value).toBe(1 + 2 ** -52);
  expect(sumOf([1, 2 ** -53, -(2 ** -200)]).value).toBe(1);
  expect(sumOf([1e300, 1, -1e300]).value).toBe(1);
  expect(sumOf([]).value).toBe(0);
});

it("adds a value many times as if one by one, and itself to itself", () => {
  const [times, repeated] = [new ExactSum(), new ExactSum()];
  times.addTimes(0.1, 1000);
  for (let i = 0; i < 1000; i++) repeated.add(0.1);
  expect(times.value).toBe(repeated.value);
  times.merge(times);
  expect(times.value).toBe(2 * repeated.value);
});
