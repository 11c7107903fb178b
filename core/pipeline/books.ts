/**
 * The books: what became of every event that a program saw.
 *
 * At any instant, per program and CPU:
 * `seen = filtered + rate_limited + sampled_out + dropped + delivered + in_flight`. The residual is
 * the difference; it is reported, not assumed. Runs that the kernel itself skipped are
 * `unobserved`, outside the equation: nobody can say what they would have seen.
 */

export interface Books {
  readonly seen: number;
  readonly filtered: number;
  readonly rate_limited: number;
  readonly sampled_out: number;
  /** By reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Accepted by every sink. */
  readonly delivered: number;
  /** Submitted by a program, not yet accepted by the sinks. */
  readonly in_flight: number;
  readonly residual: number;
  readonly unobserved: number;
}

export type BooksEntries = Omit<Books, "residual">;

export const EMPTY_BOOKS: Books = {
  seen: 0,
  filtered: 0,
  rate_limited: 0,
  sampled_out: 0,
  dropped: {},
  delivered: 0,
  in_flight: 0,
  residual: 0,
  unobserved: 0,
};

function sum(counts: Readonly<Record<string, number>>): number {
  let total = 0;
  for (const count of Object.values(counts)) total += count;
  return total;
}

/** Computes the residual of one set of entries. */
export function closeBooks(entries: BooksEntries): Books {
  const fates =
    entries.filtered +
    entries.rate_limited +
    entries.sampled_out +
    sum(entries.dropped) +
    entries.delivered +
    entries.in_flight;
  return { ...entries, residual: entries.seen - fates };
}

function addCounts(
  left: Readonly<Record<string, number>>,
  right: Readonly<Record<string, number>>,
): Record<string, number> {
  const total: Record<string, number> = { ...left };
  for (const [reason, count] of Object.entries(right)) total[reason] = (total[reason] ?? 0) + count;
  return total;
}

/**
 * The books of several programs or CPUs together. Residuals add, so opposite ones cancel: whether
 * books balance is a question to `balanced`, not to their sum.
 */
export function addBooks(left: Books, right: Books): Books {
  return {
    seen: left.seen + right.seen,
    filtered: left.filtered + right.filtered,
    rate_limited: left.rate_limited + right.rate_limited,
    sampled_out: left.sampled_out + right.sampled_out,
    dropped: addCounts(left.dropped, right.dropped),
    delivered: left.delivered + right.delivered,
    in_flight: left.in_flight + right.in_flight,
    residual: left.residual + right.residual,
    unobserved: left.unobserved + right.unobserved,
  };
}

/** Whether the books of every program and CPU close by themselves. */
export function balanced(rows: readonly { readonly books: Books }[]): boolean {
  return rows.every(({ books }) => books.residual === 0);
}
