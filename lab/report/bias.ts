/** Whether estimates are right on average. */
import type { Summary } from "../summarize.ts";
import { figure } from "./figure.ts";
import { PLOT, px, rowPanels } from "./row_panel.ts";
import { linearScale } from "./scale.ts";

/** Standard errors beyond which a mean error is no chance. */
const LIMIT = 5;

export function biasFigure({ cells }: Summary): string {
  const scale = linearScale([-2 * LIMIT, 2 * LIMIT], PLOT, [
    -2 * LIMIT,
    -LIMIT,
    0,
    LIMIT,
    2 * LIMIT,
  ]);
  const panels = rowPanels(cells, {
    scale,
    label: (tick) => `${tick}`,
    band: [-LIMIT, LIMIT],
    mark: (cell, y) => {
      const kind = Math.abs(cell.bias_z) <= LIMIT ? "good" : "missed";
      const [zero, x] = [px(scale.at(0)), px(scale.at(cell.bias_z))];
      const line = `<line class="${kind}" x1="${zero}" x2="${x}" y1="${y}" y2="${y}"/>`;
      return `${line}<circle class="${kind}" cx="${x}" cy="${y}" r="3"/>`;
    },
    words: (cell) => `${cell.bias_z.toFixed(2)} standard errors`,
  });
  return figure(
    "bias",
    "Bias",
    "Mean error in standard errors of that mean. Within the band it may be chance.",
    panels,
  );
}
