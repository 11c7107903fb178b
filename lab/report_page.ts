/** An experiment as a page of its own: plots, what they say in words, and all numbers. */
import { biasFigure } from "./report/bias.ts";
import { costFigure } from "./report/cost.ts";
import { courseFigure } from "./report/course.ts";
import { coverageFigure } from "./report/coverage.ts";
import { errorFigure } from "./report/error.ts";
import { STYLE } from "./report/style.ts";
import { controlTable, numbersTable } from "./report/table.ts";
import { escapeHtml, percent, plural } from "./report/text.ts";
import { type Verdict, verdictOf } from "./report/verdict.ts";
import type { ExperimentResults } from "./results.ts";
import { type Summary, summarize } from "./summarize.ts";

function overview(summary: Summary, replications: number): string {
  const { cells, confidence } = summary;
  const count = (verdict: Verdict): number =>
    cells.filter((cell) => verdictOf(cell, confidence) === verdict).length;
  const largest = Math.max(...cells.map(({ bias_z }) => Math.abs(bias_z)));
  const facts = [
    ["replications of each", replications.toLocaleString("en")],
    [`intervals at ${percent(confidence)} as promised`, `${count("good")} of ${cells.length}`],
    ["outside, with a warning", `${count("warned")}`],
    ["outside, without one", `${count("missed")}`],
    ["largest bias", `${largest.toFixed(2)} standard errors`],
  ];
  return `<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>`;
}

/** Needs nothing from outside: styles and plots are in it, and it runs no script. */
export function reportPage(results: ExperimentResults): string {
  const summary = summarize(results);
  const { experiment, description, seed, decisions, cells } = summary;
  const sections = [
    courseFigure(results),
    controlTable(summary),
    coverageFigure(summary),
    errorFigure(summary),
    biasFigure(summary),
    costFigure(summary),
    numbersTable(summary),
  ];
  const name = escapeHtml(experiment);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title><style>${STYLE}</style></head>
<body><header><h1>${name}</h1><p>${escapeHtml(description)}</p>
<p class="faint">Seed ${seed}; ${plural(cells.length, "cell")}; decisions by the ${decisions}.</p>
${overview(summary, results.wanted)}</header>
<main>
${sections.filter((section) => section !== "").join("\n")}
</main></body></html>
`;
}
