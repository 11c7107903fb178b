/** How many intervals held the truth. */
import type { Summary } from "../summarize.ts";
import { figure, legend } from "./figure.ts";
import { PLOT, px, rowPanels } from "./row_panel.ts";
import { linearScale } from "./scale.ts";
import { percent, shortPercent } from "./text.ts";
import { ABOVE, BELOW, VERDICT_TEXT, type Verdict, verdictMark, verdictOf } from "./verdict.ts";

/** Misses of one interval in twenty are promised: up to four times as many have a place. */
function coverageScale(confidence: number) {
  const missing = 1 - confidence;
  const least = Math.max(0, 1 - 4 * missing);
  const ticks = [least, 1 - 2 * missing, confidence, 1];
  return linearScale([least, 1], PLOT, ticks);
}

export function coverageFigure({ cells, confidence }: Summary): string {
  const scale = coverageScale(confidence);
  const least = scale.ticks[0]!;
  const panels = rowPanels(cells, {
    scale,
    label: shortPercent,
    band: [confidence - BELOW, Math.min(1, confidence + ABOVE)],
    mark: (cell, y) => {
      const verdict = verdictOf(cell, confidence);
      const [low, high] = [px(scale.at(cell.coverage_lower)), px(scale.at(cell.coverage_upper))];
      // What lies below the axis stands at its edge, with its number.
      const outside =
        cell.coverage < least
          ? `<text x="${px(high + 9)}" y="${y + 4}">${percent(cell.coverage)}</text>`
          : "";
      const whisker = `<line class="${verdict}" x1="${low}" x2="${high}" y1="${y}" y2="${y}"/>`;
      return `${whisker}${verdictMark(verdict, px(scale.at(cell.coverage)), y)}${outside}`;
    },
    words: (cell) => `${percent(cell.coverage)}, ${VERDICT_TEXT[verdictOf(cell, confidence)]}`,
  });
  const verdicts: readonly Verdict[] = ["good", "warned", "missed"];
  const entries = verdicts.map((verdict) => ({
    mark: verdictMark(verdict, 8, 8),
    text: VERDICT_TEXT[verdict],
  }));
  const promised = `${shortPercent(confidence - BELOW)} to ${shortPercent(Math.min(1, confidence + ABOVE))}`;
  return figure(
    "coverage",
    "How many intervals held the truth",
    `Each point is one strategy with its own interval at 99 %; the band is what was promised, ${promised}.`,
    panels,
    legend(entries),
  );
}
