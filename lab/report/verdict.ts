/** What the coverage of a cell's intervals comes to. */
import type { Cell } from "../summarize.ts";

/** Coverage may be so much below and above what was promised: 94 to 97 % of intervals at 95 %. */
export const BELOW = 0.01;
export const ABOVE = 0.02;

export type Verdict = "good" | "warned" | "missed";

export const VERDICT_TEXT: Readonly<Record<Verdict, string>> = {
  good: "within what was promised",
  warned: "outside, and the estimates said so",
  missed: "outside, without a warning",
};

/**
 * A cell is outside only where its interval at 99 % says so: replications are a sample, too. What is known exactly is
 * always held, and rightly so.
 */
export function verdictOf(cell: Cell, confidence: number): Verdict {
  const { coverage, coverage_lower, coverage_upper, width, warning } = cell;
  if (coverage === 1 && width === 0 && warning === undefined) return "good";
  if (coverage_upper >= confidence - BELOW && coverage_lower <= confidence + ABOVE) return "good";
  return warning === undefined ? "missed" : "warned";
}

/** A mark of its own for each, so that colour is not needed to tell them apart. */
export function verdictMark(verdict: Verdict, x: number, y: number): string {
  const to = (dx: number, dy: number): string => `${x + dx},${y + dy}`;
  if (verdict === "good") return `<circle class="good" cx="${x}" cy="${y}" r="4"/>`;
  if (verdict === "warned") {
    const corners = [to(0, -5), to(5, 0), to(0, 5), to(-5, 0)].join(" ");
    return `<polygon class="warned" points="${corners}"/>`;
  }
  return `<path class="missed" d="M${to(-4, -4)}L${to(4, 4)}M${to(-4, 4)}L${to(4, -4)}"/>`;
}
