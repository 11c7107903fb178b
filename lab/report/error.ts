/** How far estimates are off: by strategy, or over the sampled part where strategies come at several rates. */
import type { Cell, Summary } from "../summarize.ts";
import { figure, legend, type Panel } from "./figure.ts";
import { PLOT, px, rowPanels } from "./row_panel.ts";
import { logScale, type Scale } from "./scale.ts";
import { escapeHtml, percent, shortPercent } from "./text.ts";

const WIDTH = 384;
const [LEFT, RIGHT, TOP, BOTTOM] = [58, 372, 8, 232];
/** Of line plots, axes and their names included. */
const HEIGHT = BOTTOM + 38;

export function errorFigure({ cells }: Summary): string {
  const kinds = new Map<string, Set<string>>();
  for (const { kind, strategy } of cells) {
    kinds.set(kind, (kinds.get(kind) ?? new Set()).add(strategy));
  }
  return [...kinds.values()].some((strategies) => strategies.size > 2)
    ? byRate(cells, [...kinds.keys()])
    : byStrategy(cells);
}

function byStrategy(cells: readonly Cell[]): string {
  const scale = logScale(
    cells.map(({ nrmse }) => nrmse),
    PLOT,
  );
  const panels = rowPanels(cells, {
    scale,
    label: shortPercent,
    mark: ({ nrmse }, y) => {
      const x = px(scale.at(nrmse));
      const bar = `<rect class="bar" x="${PLOT[0]}" y="${y - 6}" width="${px(x - PLOT[0])}" height="12" rx="2"/>`;
      const inside = x > PLOT[1] - 30;
      const place = inside ? `class="label" x="${px(x - 4)}"` : `x="${px(x + 5)}"`;
      return `${bar}<text ${place} y="${y + 4}">${percent(nrmse)}</text>`;
    },
    words: ({ nrmse }) => percent(nrmse),
  });
  return figure(
    "error",
    "Error of the estimates",
    "Root mean square, relative to the truth; the axis is logarithmic.",
    panels,
  );
}

function byRate(cells: readonly Cell[], kinds: readonly string[]): string {
  const x = logScale(
    cells.map(({ kept }) => kept),
    [LEFT, RIGHT],
  );
  const y = logScale(
    cells.map(({ nrmse }) => nrmse),
    [BOTTOM, TOP],
  );
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const title = `${cell.workload}: ${cell.quantity}`;
    groups.set(title, [...(groups.get(title) ?? []), cell]);
  }
  const panels = [...groups].map(([title, group]): Panel => {
    const lines = kinds.map((kind, i) =>
      line(
        group.filter((cell) => cell.kind === kind),
        i,
        x,
        y,
      ),
    );
    const words = group.map(
      ({ strategy, kept, nrmse }) => `${strategy}, ${percent(kept)} kept: ${percent(nrmse)}`,
    );
    const body = `${axes(x, y)}${lines.join("")}`;
    return { title, summary: words.join("; "), width: WIDTH, height: HEIGHT, body };
  });
  const entries = kinds.map((kind, i) => ({
    mark: `<line class="series s${i}" x1="0" x2="16" y1="8" y2="8"/>${seriesMark(i, 8, 8)}`,
    text: kind.replaceAll("_", " "),
  }));
  return figure(
    "error",
    "Error of the estimates by sampled part",
    "Root mean square error relative to the truth, over the part of the events that was sampled; both axes are logarithmic.",
    panels,
    legend(entries),
  );
}

function axes(x: Scale, y: Scale): string {
  const vertical = x.ticks.map((tick) => {
    const at = px(x.at(tick));
    const text = `<text class="tick" x="${at}" y="${BOTTOM + 16}">${shortPercent(tick)}</text>`;
    return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${BOTTOM}"/>${text}`;
  });
  const horizontal = y.ticks.map((tick) => {
    const at = px(y.at(tick));
    const text = `<text class="label" x="${LEFT - 6}" y="${at + 4}">${shortPercent(tick)}</text>`;
    return `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>${text}`;
  });
  const name = `<text class="tick" x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 32}">sampled part</text>`;
  return `${vertical.join("")}${horizontal.join("")}${name}`;
}

function line(cells: readonly Cell[], series: number, x: Scale, y: Scale): string {
  const sorted = [...cells].sort((left, right) => left.kept - right.kept);
  const points = sorted.map(({ kept, nrmse }) => [px(x.at(kept)), px(y.at(nrmse))] as const);
  const path = points.map(([at, up], i) => `${i === 0 ? "M" : "L"}${at},${up}`).join("");
  const marks = sorted.map((cell, i) => {
    const words = `${cell.strategy}, ${percent(cell.kept)} kept: ${percent(cell.nrmse)}`;
    return `<g><title>${escapeHtml(words)}</title>${seriesMark(series, ...points[i]!)}</g>`;
  });
  return `<path class="series s${series}" d="${path}"/>${marks.join("")}`;
}

/** Shapes go round, as colours do, so that neighbours in the list differ in both. */
function seriesMark(series: number, x: number, y: number): string {
  const kind = `mark s${series}`;
  if (series % 3 === 0) return `<circle class="${kind}" cx="${x}" cy="${y}" r="3.5"/>`;
  if (series % 3 === 1) {
    return `<rect class="${kind}" x="${px(x - 3)}" y="${px(y - 3)}" width="6" height="6"/>`;
  }
  const corners = `${x},${px(y - 4)} ${px(x + 4)},${px(y + 3)} ${px(x - 4)},${px(y + 3)}`;
  return `<polygon class="${kind}" points="${corners}"/>`;
}
