/** What a strategy costs. */
import type { Summary } from "../summarize.ts";
import { figure } from "./figure.ts";
import { PLOT, px, rowPanels } from "./row_panel.ts";
import { linearScale } from "./scale.ts";

/** "" where costs were not measured. */
export function costFigure({ cells, decisions }: Summary): string {
  const [first] = cells;
  const measured = cells.filter(
    ({ cost_ns, quantity }) => cost_ns !== undefined && quantity === first!.quantity,
  );
  if (measured.length === 0) return "";
  const most = Math.max(...measured.map(({ cost_ns }) => cost_ns!));
  const step = 10 ** Math.floor(Math.log10(most));
  const end = Math.ceil(most / step) * step;
  const scale = linearScale([0, end], PLOT, [0, end / 2, end]);
  const panels = rowPanels(measured, {
    scale,
    label: (tick) => `${tick} ns`,
    mark: ({ cost_ns }, y) => {
      const width = px(scale.at(cost_ns!) - PLOT[0]);
      return `<rect class="bar" x="${PLOT[0]}" y="${y - 6}" width="${width}" height="12" rx="2"/>`;
    },
    words: ({ cost_ns }) => `${cost_ns!.toFixed(1)} ns an event`,
  });
  return figure(
    "cost",
    "Cost",
    `Time for each event of the workload on the machine that ran this: the decision (by the ${decisions}), the selection in user space, and all estimates.`,
    panels,
  );
}
