/** An experiment as a page of its own: a table, and plots of coverage and error. */
import type { Cell, Summary } from "./summarize.ts";

const ROW_PX = 26;
const LABEL_PX = 250;
const PLOT_PX = 420;

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1c2530; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
p { max-width: 46rem; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e3e8ee; }
th:nth-child(-n+2), td:nth-child(-n+2) { text-align: left; } .warned { color: #a15c00; }
svg text { font: 12px system-ui, sans-serif; fill: #1c2530; } .axis { stroke: #c4ccd6; } .target { fill: #e4f2e7; }
.good { stroke: #1f7a3d; fill: #1f7a3d; } .bad { stroke: #b3261e; fill: #b3261e; } .hint { stroke: #a15c00; fill: #a15c00; }
`;

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From 80 to 100 %, where coverages are; what is below stands at the edge. */
const COVERAGE: Axis = {
  at: (value) => LABEL_PX + (PLOT_PX * (Math.max(0.8, value) - 0.8)) / 0.2,
  ticks: [0.8, 0.85, 0.9, 0.95, 1],
};

/** Errors over four decades. */
const ERROR: Axis = {
  at: (value) => LABEL_PX + (PLOT_PX * (Math.log10(Math.min(1, Math.max(1e-4, value))) + 4)) / 4,
  ticks: [1e-4, 1e-3, 1e-2, 1e-1, 1],
};

function plot(
  cells: readonly Cell[],
  axis: Axis,
  mark: (cell: Cell, y: number) => string,
  back = "",
): string {
  const height = ROW_PX * (cells.length + 2);
  const bottom = ROW_PX * cells.length + 12;
  const lines = axis.ticks.map((tick) => {
    const x = axis.at(tick);
    const label = `<text x="${x}" y="${bottom + 18}" text-anchor="middle">${percent(tick)}</text>`;
    return `<line class="axis" x1="${x}" x2="${x}" y1="4" y2="${bottom}"/>${label}`;
  });
  const rows = cells.map((cell, i) => {
    const y = ROW_PX * i + ROW_PX / 2 + 4;
    const name = escapeHtml(`${cell.strategy} · ${cell.workload}`);
    return `<text x="${LABEL_PX - 12}" y="${y + 4}" text-anchor="end">${name}</text>${mark(cell, y)}`;
  });
  const width = LABEL_PX + PLOT_PX + 60;
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" role="img">${back}${lines.join("")}${rows.join("")}</svg>`;
}

function coverageClass({ coverage_lower, coverage_upper, warning }: Cell, wanted: number): string {
  if (coverage_upper >= wanted - 0.01 && coverage_lower <= wanted + 0.02) return "good";
  return warning === undefined ? "bad" : "hint";
}

function coveragePlot({ cells, confidence }: Summary): string {
  const [from, to] = [COVERAGE.at(confidence - 0.01), COVERAGE.at(confidence + 0.02)];
  const height = ROW_PX * cells.length + 8;
  const band = `<rect class="target" x="${from}" y="4" width="${to - from}" height="${height}"/>`;
  const mark = (cell: Cell, y: number): string => {
    const kind = coverageClass(cell, confidence);
    const [low, high] = [COVERAGE.at(cell.coverage_lower), COVERAGE.at(cell.coverage_upper)];
    const x = COVERAGE.at(cell.coverage);
    return (
      `<line class="${kind}" x1="${low}" x2="${high}" y1="${y}" y2="${y}" stroke-width="2"/>` +
      `<circle class="${kind}" cx="${x}" cy="${y}" r="4"/>`
    );
  };
  return plot(cells, COVERAGE, mark, band);
}

function errorPlot({ cells }: Summary): string {
  return plot(cells, ERROR, (cell, y) => {
    const x = ERROR.at(cell.nrmse);
    const bar = `<line class="good" x1="${LABEL_PX}" x2="${x}" y1="${y}" y2="${y}" stroke-width="8" opacity=".35"/>`;
    return `${bar}<text x="${x + 6}" y="${y + 4}">${percent(cell.nrmse)}</text>`;
  });
}

function table({ cells }: Summary): string {
  const head = [
    "strategy",
    "workload",
    "kept",
    "coverage",
    "NRMSE",
    "bias z",
    "width",
    "effective size",
    "warned",
  ];
  const rows = cells.map((cell) => {
    const texts = [
      escapeHtml(cell.strategy),
      escapeHtml(cell.workload),
      percent(cell.kept),
      percent(cell.coverage),
      percent(cell.nrmse),
      cell.bias_z.toFixed(2),
      cell.width === null ? "no end" : percent(cell.width),
      cell.effective_size.toFixed(0),
      `<span class="${cell.warning === undefined ? "" : "warned"}" title="${escapeHtml(cell.warning ?? "")}">${percent(cell.warned)}</span>`,
    ];
    return `<tr>${texts.map((text) => `<td>${text}</td>`).join("")}</tr>`;
  });
  return `<table><thead><tr>${head.map((text) => `<th>${text}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** Needs nothing from outside: styles and plots are in it. */
export function reportPage(summary: Summary): string {
  const { experiment, description, seed, confidence } = summary;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(experiment)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(experiment)}</h1><p>${escapeHtml(description)}</p><p>Seed ${seed}. Intervals at ${percent(confidence)}.</p>
<h2>How many intervals held the truth</h2>
<p>Points with their own interval at 99 %; the band is what was promised. Amber: outside of it, and the estimates said so themselves.</p>
${coveragePlot(summary)}
<h2>Error of the estimated total</h2><p>Root mean square, relative to the truth; logarithmic.</p>
${errorPlot(summary)}
<h2>All numbers</h2>${table(summary)}</body></html>
`;
}
