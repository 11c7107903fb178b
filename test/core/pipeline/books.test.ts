import { expect, it } from "vitest";
import { addBooks, balanced, closeBooks, EMPTY_BOOKS } from "#core/pipeline/books.ts";

const ENTRIES = {
  seen: 100,
  filtered: 1,
  rate_limited: 2,
  sampled_out: 3,
  dropped: { ring_full: 4, malformed: 5 },
  delivered: 80,
  in_flight: 5,
  unobserved: 7,
};

it("the residual is what no fate accounts for; unobserved runs are no fate", () => {
  expect(closeBooks(ENTRIES).residual).toBe(0);
  expect(closeBooks({ ...ENTRIES, delivered: 70 }).residual).toBe(10);
  expect(closeBooks({ ...ENTRIES, in_flight: 6 }).residual).toBe(-1);
  expect(closeBooks({ ...ENTRIES, unobserved: 0 }).residual).toBe(0);
});

it("sums keep every reason, and the sum's own residual is the sum of residuals", () => {
  const left = closeBooks(ENTRIES);
  const right = closeBooks({ ...ENTRIES, dropped: { ring_full: 1, stale: 2 }, delivered: 0 });
  const { residual, ...entries } = addBooks(left, right);
  expect(entries.dropped).toEqual({ ring_full: 5, malformed: 5, stale: 2 });
  expect(closeBooks(entries).residual).toBe(residual);
  expect(residual).toBe(left.residual + right.residual);
  expect(addBooks(EMPTY_BOOKS, left)).toEqual(left);
});

it("opposite residuals balance in no sum of books", () => {
  const more = { books: closeBooks({ ...ENTRIES, seen: 101 }) };
  const less = { books: closeBooks({ ...ENTRIES, seen: 99 }) };
  expect(addBooks(more.books, less.books).residual).toBe(0);
  expect(balanced([more, less])).toBe(false);
  expect(balanced([{ books: closeBooks(ENTRIES) }])).toBe(true);
  expect(balanced([])).toBe(true);
});
