/** All numbers of the page. */
import type { Cell, Summary } from "../summarize.ts";
import { escapeHtml, percent } from "./text.ts";
import { verdictOf } from "./verdict.ts";

interface Column {
  readonly head: string;
  readonly text: (cell: Cell) => string;
  readonly className?: (cell: Cell) => string;
}

const words = (head: string, text: (cell: Cell) => string): Column => ({
  head,
  text,
  className: () => "text",
});

function columnsOf({ confidence }: Summary): Column[] {
  return [
    words("workload", ({ workload }) => workload),
    words("quantity", ({ quantity }) => quantity),
    { head: "kept", text: ({ kept }) => percent(kept) },
    {
      head: "coverage",
      text: ({ coverage }) => percent(coverage),
      className: (cell) => `is-${verdictOf(cell, confidence)}`,
    },
    { head: "NRMSE", text: ({ nrmse }) => percent(nrmse) },
    { head: "bias z", text: ({ bias_z }) => bias_z.toFixed(2) },
    { head: "width", text: ({ width }) => (width === null ? "no end" : percent(width)) },
    { head: "effective size", text: ({ effective_size }) => effective_size.toFixed(0) },
    { head: "warned", text: ({ warned }) => percent(warned) },
    { head: "warning", text: ({ warning }) => warning ?? "", className: () => "note" },
  ];
}

export function numbersTable(summary: Summary): string {
  const columns = columnsOf(summary);
  const rows = summary.cells.map((cell) => {
    const row = columns.map((column) => {
      const name = column.className?.(cell);
      const className = name === undefined ? "" : ` class="${name}"`;
      return `<td${className}>${escapeHtml(column.text(cell))}</td>`;
    });
    return `<tr><th scope="row" class="text">${escapeHtml(cell.strategy)}</th>${row.join("")}</tr>`;
  });
  const heads = ["strategy", ...columns.map(({ head }) => head)];
  return tableOf("numbers", "All numbers", heads, 3, rows);
}

/** "" where nothing was watched over time. */
export function controlTable({ cells }: Summary): string {
  const rows = cells.flatMap(({ strategy, workload, control }) => {
    if (control === undefined) return [];
    const { settling_s, excess_s, steady_rms, noise_rms, kept_ratio, bias_z_max } = control;
    const texts = [
      settling_s === null ? "never" : `${settling_s.toFixed(2)} s`,
      `${excess_s.toFixed(2)} s`,
      percent(kept_ratio),
      steady_rms === null ? "–" : percent(steady_rms),
      noise_rms === null ? "–" : percent(noise_rms),
      bias_z_max.toFixed(2),
    ];
    const row = texts.map((text) => `<td>${text}</td>`).join("");
    return [
      `<tr><th scope="row" class="text">${escapeHtml(strategy)}</th><td class="text">${escapeHtml(workload)}</td>${row}</tr>`,
    ];
  });
  if (rows.length === 0) return "";
  const head = [
    ...["strategy", "workload", "settled after", "kept too much, in seconds of the target"],
    ...["kept of what is wanted", "RMS deviation", "of it chance", "largest bias z"],
  ];
  return tableOf("control", "How the target was kept", head, 2, rows);
}

function tableOf(
  id: string,
  title: string,
  heads: readonly string[],
  /** How many columns from the left hold words. */
  texts: number,
  rows: readonly string[],
): string {
  const head = heads
    .map((text, i) => `<th scope="col"${i < texts ? ' class="text"' : ""}>${escapeHtml(text)}</th>`)
    .join("");
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
<div class="table" role="region" aria-labelledby="${id}" tabindex="0"><table><thead><tr>${head}</tr></thead>
<tbody>${rows.join("\n")}</tbody></table></div></section>`;
}
