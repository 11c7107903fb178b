/** A plot with a row for each strategy: dots, bars or intervals along one axis. */
import type { Cell } from "../summarize.ts";
import type { Panel } from "./figure.ts";
import type { Scale } from "./scale.ts";
import { escapeHtml } from "./text.ts";

const ROW = 22;
const TOP = 6;
const AXIS = 24;
/** Where plots begin and end, in pixels from the left. */
export const PLOT = [136, 356] as const;
const WIDTH = 384;

export interface RowPlot {
  readonly scale: Scale;
  readonly label: (tick: number) => string;
  /** Values between which the background is marked. */
  readonly band?: readonly [number, number];
  readonly mark: (cell: Cell, y: number) => string;
  /** What a row says, in words. */
  readonly words: (cell: Cell) => string;
}

/** One panel for each workload and quantity. */
export function rowPanels(cells: readonly Cell[], plot: RowPlot): Panel[] {
  const groups = new Map<string, Cell[]>();
  const many = new Set(cells.map(({ quantity }) => quantity)).size > 1;
  for (const cell of cells) {
    const title = many ? `${cell.workload}: ${cell.quantity}` : cell.workload;
    groups.set(title, [...(groups.get(title) ?? []), cell]);
  }
  return [...groups].map(([title, rows]) => rowPanel(title, rows, plot));
}

function rowPanel(title: string, cells: readonly Cell[], plot: RowPlot): Panel {
  const bottom = TOP + ROW * cells.length;
  const rows = cells.map((cell, i) => {
    const y = TOP + ROW * i + ROW / 2;
    const words = `${cell.strategy}: ${plot.words(cell)}`;
    return `<g><title>${escapeHtml(words)}</title><text class="label" x="${PLOT[0] - 10}" y="${y + 4}">${escapeHtml(cell.strategy)}</text>${plot.mark(cell, y)}</g>`;
  });
  return {
    title,
    summary: cells.map((cell) => `${cell.strategy}: ${plot.words(cell)}`).join("; "),
    width: WIDTH,
    height: bottom + AXIS,
    body: `${band(plot, bottom)}${axis(plot, bottom)}${rows.join("")}`,
  };
}

function band({ band: values, scale }: RowPlot, bottom: number): string {
  if (values === undefined) return "";
  const [from, to] = [scale.at(values[0]), scale.at(values[1])];
  return `<rect class="band" x="${px(from)}" y="${TOP}" width="${px(to - from)}" height="${bottom - TOP}"/>`;
}

function axis({ scale, label }: RowPlot, bottom: number): string {
  const lines = scale.ticks.map((tick) => {
    const x = px(scale.at(tick));
    const text = `<text class="tick" x="${x}" y="${bottom + 16}">${escapeHtml(label(tick))}</text>`;
    return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP}" y2="${bottom}"/>${text}`;
  });
  return lines.join("");
}

/** Tenths of a pixel are enough. */
export const px = (value: number): number => Math.round(value * 10) / 10;
