/** Reference tables in test/testdata/stats (see make_fixtures.py) and the error against them. */

import { readFileSync } from "node:fs";

/** One point: the arguments, then the expected value. */
export type ReferencePoint = readonly number[];

/** The points of one function, in the table of one distribution. */
export function referencePoints(table: string, name: string): readonly ReferencePoint[] {
  const url = new URL(`../../testdata/stats/${table}.json`, import.meta.url);
  const points = JSON.parse(readFileSync(url, "utf8"))[name] as ReferencePoint[] | undefined;
  if (points === undefined) throw new Error(`${table}.json has no points of ${name}`);
  return points;
}

export interface WorstPoint {
  readonly relative_error: number;
  readonly point: ReferencePoint;
}

function relativeError(actual: number, expected: number): number {
  if (actual === expected) return 0;
  const error = Math.abs(actual - expected) / Math.abs(expected);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** The point where `evaluate` is furthest from the table, relative to the table. */
export function worstPoint(
  points: readonly ReferencePoint[],
  evaluate: (...args: number[]) => number,
): WorstPoint {
  let worst: WorstPoint = { relative_error: 0, point: [] };
  for (const point of points) {
    const error = relativeError(evaluate(...point.slice(0, -1)), point.at(-1)!);
    if (error > worst.relative_error) worst = { relative_error: error, point };
  }
  return worst;
}
