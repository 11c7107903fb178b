/** What adaptive strategies kept over time, against what was wanted. */
import type { CellResults, ExperimentResults, Timeline } from "../results.ts";
import { figure, legend, type Panel } from "./figure.ts";
import { px } from "./row_panel.ts";
import { linearScale, logScale, type Scale } from "./scale.ts";

const WIDTH = 560;
const [LEFT, RIGHT, TOP, BOTTOM] = [62, 548, 8, 190];
/** Axes and their names included. */
const HEIGHT = BOTTOM + 38;

/** "" where nothing was watched over time. */
export function courseFigure({ cells }: ExperimentResults): string {
  const watched = cells.flatMap((cell) =>
    cell.timeline === undefined || cell.timeline.replications.length === 0
      ? []
      : [coursePanel(cell, cell.timeline)],
  );
  if (watched.length === 0) return "";
  const entries = [
    { mark: `<path class="offered" d="M0,8H16"/>`, text: "offered" },
    { mark: `<path class="wanted" d="M0,8H16"/>`, text: "wanted" },
    { mark: `<path class="kept" d="M0,8H16"/>`, text: "kept, mean of all replications" },
  ];
  return figure(
    "course",
    "Kept events over time",
    "Events a second in each interval of the controller; the vertical axis is logarithmic.",
    watched,
    legend(entries),
  );
}

function coursePanel({ strategy, workload }: CellResults, timeline: Timeline): Panel {
  const { interval_s, target_events_per_s, loads_per_s, replications } = timeline;
  const kept = loads_per_s.map((_, i) => {
    const sum = replications.reduce((all, each) => all + each.kept[i]!, 0);
    return sum / replications.length / interval_s;
  });
  const offered = timeline.offered.map((count) => count / interval_s);
  const wanted = loads_per_s.map((load) => Math.min(load, target_events_per_s));
  const end_s = interval_s * kept.length;
  const x = linearScale([0, end_s], [LEFT, RIGHT], ticksTo(end_s));
  const y = logScale([...kept, ...offered, target_events_per_s], [BOTTOM, TOP]);
  const steps = (values: readonly number[]) => stepPath(values, interval_s, x, y);
  return {
    title: `${strategy}: ${workload}`,
    summary: `Offered ${range(offered)} events a second; wanted at most ${target_events_per_s}; kept ${range(kept)}.`,
    width: WIDTH,
    height: HEIGHT,
    body: `${axes(x, y)}<path class="offered" d="${steps(offered)}"/><path class="wanted" d="${steps(wanted)}"/><path class="kept" d="${steps(kept)}"/>`,
  };
}

const range = (values: readonly number[]): string =>
  `${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))}`;

function ticksTo(end: number): number[] {
  const step = [0.5, 1, 2, 5, 10, 20, 60, 120, 600].find((each) => end / each <= 8) ?? end / 4;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}

function axes(x: Scale, y: Scale): string {
  const vertical = x.ticks.map((tick) => {
    const at = px(x.at(tick));
    const text = `<text class="tick" x="${at}" y="${BOTTOM + 16}">${tick}</text>`;
    return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${BOTTOM}"/>${text}`;
  });
  const horizontal = y.ticks.map((tick) => {
    const at = px(y.at(tick));
    const text = `<text class="label" x="${LEFT - 6}" y="${at + 4}">${tick.toLocaleString("en")}</text>`;
    return `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${at}" y2="${at}"/>${text}`;
  });
  const name = `<text class="tick" x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 32}">seconds</text>`;
  return `${vertical.join("")}${horizontal.join("")}${name}`;
}

/** Nothing at all has no place on a logarithmic axis: the line breaks there. */
function stepPath(values: readonly number[], interval_s: number, x: Scale, y: Scale): string {
  let [path, drawing] = ["", false];
  for (const [i, value] of values.entries()) {
    if (value > 0) {
      const [from, to, up] = [i * interval_s, (i + 1) * interval_s, px(y.at(value))];
      path += `${drawing ? "L" : "M"}${px(x.at(from))},${up}H${px(x.at(to))}`;
    }
    drawing = value > 0;
  }
  return path;
}
