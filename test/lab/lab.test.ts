/** Experiments as their users run them: shards, seeds, refusals, and what the shipped ones promise. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseYaml } from "#core/config/parse_config.ts";
import { experimentSchema } from "#lab/experiment.ts";
import { runExperiment } from "#lab/run_experiment.ts";
import { type Summary, summarize } from "#lab/summarize.ts";
import { tapio } from "../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-lab-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = join(folder, "small.yaml");
writeFileSync(
  SMALL,
  `name: small
replications: 60
workloads: [{ name: lognormal, kind: lognormal, events: 2000, sigma: 1 }]
strategies:
  - { name: uniform, kind: uniform, rate: 0.2 }
  - { name: bottom-k, kind: bottom_k, k: 400 }
`,
);

const run = (...words: string[]) => tapio(["lab", ...words]);

describe("lab", () => {
  it("runs whole and in shards to the same results, and makes a page of them", () => {
    const whole = run("run", SMALL, "--seed", "7", "-o", "json");
    expect(whole).toMatchObject({ status: 0, error: "" });
    const shards = [0, 1].map((i) => join(folder, `shard${i}.json`));
    shards.forEach((file, i) => {
      const shard = run("run", SMALL, "--seed", "7", "--shard", `${i}/2`, "--output", file);
      expect(shard).toMatchObject({ status: 0, error: "" });
    });
    const merged = run("merge", ...shards, "--output", join(folder, "all.json"), "-o", "json");
    expect(merged.out).toBe(whole.out);

    const page = join(folder, "page.html");
    expect(run("report", join(folder, "all.json"), "--output", page)).toMatchObject({ status: 0 });
    expect(readFileSync(page, "utf8")).toContain(">bottom-k</text>");
  });

  it("draws independently for seed and workload: none is another's under a different seed", async () => {
    const workloads = Array.from({ length: 8 }, (_, i) => ({
      name: `w${i}`,
      kind: "lognormal",
      events: 200,
      sigma: 1,
    }));
    const strategies = [{ name: "uniform", kind: "uniform", rate: 0.5 }];
    const experiment = experimentSchema.parse({
      name: "seeds",
      replications: 10,
      workloads,
      strategies,
    });
    const truths = new Set<number>();
    for (let seed = 0; seed < 16; seed++) {
      const results = await runExperiment(experiment, {
        seed,
        shard: { index: 0, count: 1 },
        recordings: new Map(),
      });
      for (const { truth } of results.cells) truths.add(truth);
    }
    expect(truths.size).toBe(16 * 8);
  });

  it("refuses what is no experiment, with the line", () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(
      bad,
      "name: x\nreplications: 10\nworkloads: []\nstrategies: [{ kind: uniform, rate: 2 }]\n",
    );
    expect(run("run", bad).error).toMatch(/bad\.yaml:3: workloads/);
    expect(run("run", SMALL, "--shard", "3/3")).toMatchObject({ status: 2 });
  });
});

describe("the shipped validation", () => {
  const { value: validation } = parseYaml(
    readFileSync("lab/experiments/validation.yaml", "utf8"),
    "validation.yaml",
    experimentSchema,
  );

  it("covers what it says, or warns; and is nowhere biased", async () => {
    const small = { ...validation, replications: 24 };
    const options = { seed: 3, shard: { index: 0, count: 1 }, recordings: new Map() };
    const { cells }: Summary = summarize(await runExperiment(small, options));
    expect(cells).toHaveLength(80);
    for (const cell of cells) {
      // With 24 replications only gross errors show: the whole experiment is a command of its own.
      const trusted = cell.warning === undefined;
      if (trusted) expect(cell.coverage_upper, JSON.stringify(cell)).toBeGreaterThanOrEqual(0.94);
      expect(Math.abs(cell.bias_z), JSON.stringify(cell)).toBeLessThan(6);
    }
  });
});
