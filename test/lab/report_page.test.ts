/** The page: what it says in words and in marks, that it needs nothing else, and that a browser can draw it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { experimentSchema } from "#lab/experiment.ts";
import { reportPage } from "#lab/report_page.ts";
import type { ExperimentResults } from "#lab/results.ts";
import { runExperiment } from "#lab/run_experiment.ts";
import { summarize } from "#lab/summarize.ts";
import { findExecutable } from "../../scripts/install_tools.ts";

const CHROMIUM = findExecutable("chromium");

const uniform = (rate: number) => ({ name: `uniform ${rate}`, kind: "uniform", rate });

const experiment = experimentSchema.parse({
  name: "shapes & <colours>",
  replications: 20,
  quantities: ["total", "mean"],
  workloads: [
    { name: "heavy", kind: "pareto", events: 500, alpha: 1.1 },
    {
      name: "wave",
      kind: "constant",
      load: {
        phases: [
          { seconds: 1, events_per_s: 100 },
          { seconds: 1, events_per_s: 0 },
          { seconds: 1, events_per_s: 1000 },
        ],
      },
    },
  ],
  strategies: [
    ...[0.05, 0.2, 0.5].map(uniform),
    { name: "adaptive", kind: "adaptive", target_events_per_s: 200 },
  ],
});

let results: ExperimentResults;
let page: string;
let now = 0;

beforeAll(async () => {
  const shard = { index: 0, count: 1 };
  const options = { seed: 2, shard, recordings: new Map(), now_ms: () => ++now };
  results = await runExperiment(experiment, options);
  page = reportPage(results);
});

const count = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].length;

/** The part of the page about one thing. */
const section = (id: string): string =>
  new RegExp(`<section aria-labelledby="${id}">.*?</section>`, "s").exec(page)?.[0] ?? "";

describe("the report page", () => {
  it("needs nothing from outside, and runs no script", () => {
    expect(page).not.toMatch(/src=|href=|url\(|@import|<script|https?:/);
    expect(page).toContain("<h1>shapes &amp; &lt;colours&gt;</h1>");
    expect(page).toContain("prefers-color-scheme: dark");
  });

  it("is well-formed: every element that is opened is closed", () => {
    const open: string[] = [];
    for (const [, close, name, empty] of page.matchAll(/<(\/?)([a-z0-9]+)[^>]*?(\/?)>/g)) {
      if (name === "meta" || empty === "/") continue;
      if (close === "") open.push(name!);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, wanted] of page.matchAll(/aria-labelledby="([^"]+)"/g)) {
      for (const id of wanted!.split(" ")) expect(ids).toContain(id);
    }
  });

  it("says in words what each plot shows", () => {
    const plots = [...page.matchAll(/<svg[^>]*role="img".*?<\/svg>/gs)].map((match) => match[0]);
    expect(plots.length).toBe(count(page, /<figure>/g));
    for (const plot of plots) expect(/<desc[^>]*>([^<]{20,})<\/desc>/.test(plot)).toBe(true);
    expect(section("coverage")).toContain("outside, and the estimates said so");
  });

  it("has a mark for each cell, of its own shape for each verdict", () => {
    const { cells } = summarize(results);
    const coverage = section("coverage");
    const panels = coverage.slice(coverage.indexOf('<div class="panels">'));
    const marks = count(
      panels,
      /<circle class="good"|<polygon class="warned"|<path class="missed"/g,
    );
    expect(marks).toBe(cells.length);
    expect(count(section("bias"), /<circle/g)).toBe(cells.length);
    expect(count(section("numbers"), /<th scope="row"/g)).toBe(cells.length);
    // Costs are those of a cell, not of each quantity.
    expect(count(section("cost"), /<rect class="bar"/g)).toBe(cells.length / 2);
  });

  it("draws errors over the sampled part where there are several rates, else by strategy", () => {
    expect(section("error")).toContain("both axes are logarithmic");
    const few = results.cells.filter(({ strategy }) => strategy !== "uniform 0.2");
    expect(reportPage({ ...results, cells: few })).toContain("the axis is logarithmic");
  });

  it("shows adaptive strategies over time, and leaves out what there is not", () => {
    const course = section("course");
    expect(count(course, /<path class="kept"/g)).toBe(2);
    // Nothing was offered for a second: the line has a gap, and begins twice.
    const [, path] = /<path class="offered" d="([^"]+)"\/><path class="wanted"/.exec(course)!;
    expect(count(path!, /M/g)).toBe(2);
    const plain = results.cells.map(({ timeline: _, cost_ns: __, ...cell }) => cell);
    const without = reportPage({ ...results, cells: plain });
    for (const id of ["course", "control", "cost"]) {
      expect(without).not.toContain(`aria-labelledby="${id}"`);
    }
  });
});

describe.skipIf(CHROMIUM === undefined)("in headless Chromium", () => {
  const folder = mkdtempSync(join(tmpdir(), "tapio-page-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is drawn: a picture of the wanted size, far from empty", () => {
    writeFileSync(join(folder, "page.html"), page);
    const picture = join(folder, "page.png");
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"];
    const run = spawnSync(
      CHROMIUM!,
      [
        ...flags,
        ...["--disable-background-networking", "--no-first-run", "--window-size=1000,1600"],
        ...[`--user-data-dir=${folder}/profile`, `--screenshot=${picture}`],
        `file://${folder}/page.html`,
      ],
      { stdio: "ignore", timeout: 100_000 },
    );
    expect(run.status).toBe(0);
    const png = readFileSync(picture);
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1000, 1600]);
    // An empty page of that size takes some 8 KB.
    expect(png.length).toBeGreaterThan(40_000);
  });
});
