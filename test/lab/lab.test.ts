/** Experiments as their users run them: shards, seeds, refusals, and what the shipped ones promise. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseYaml } from "#core/config/parse_config.ts";
import { experimentSchema } from "#lab/experiment.ts";
import { verdictOf } from "#lab/report/verdict.ts";
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

const shipped = (name: string) => {
  const path = `lab/experiments/${name}.yaml`;
  return parseYaml(readFileSync(path, "utf8"), path, experimentSchema).value;
};
const OPTIONS = { seed: 3, shard: { index: 0, count: 1 }, recordings: new Map() };

describe("the shipped validation", () => {
  it.each([
    ["validation", 80],
    ["validation_parts", 72],
  ])("%s covers what it says, or warns; and is nowhere biased", async (name, count) => {
    const small = { ...shipped(name), replications: 24 };
    const { cells }: Summary = summarize(await runExperiment(small, OPTIONS));
    expect(cells).toHaveLength(count);
    for (const cell of cells) {
      // With 24 replications only gross errors show: the whole experiment is a command of its own.
      const trusted = cell.warning === undefined;
      if (trusted) expect(cell.coverage_upper, JSON.stringify(cell)).toBeGreaterThanOrEqual(0.94);
      expect(Math.abs(cell.bias_z), JSON.stringify(cell)).toBeLessThan(6);
    }
  });
});

it("the shipped heavy tail: samples by value are far better, and VarOpt knows the total", async () => {
  const small = { ...shipped("heavy_tail"), replications: 10 };
  const { cells } = summarize(await runExperiment(small, OPTIONS));
  const [uniform, priority, varopt] = ["uniform", "priority_sampling", "varopt"].map((kind) =>
    cells.find((cell) => cell.kind === kind),
  );
  // The bound of priority sampling is 1/√(k - 1), of which ten replications miss a quarter at most.
  expect(priority!.nrmse).toBeLessThan(1.25 / Math.sqrt(999));
  expect(uniform!.nrmse).toBeGreaterThan(5 * priority!.nrmse);
  expect(varopt).toMatchObject({ coverage: 1, width: 0, bias_z: 0, warned: 0 });
  expect(varopt!.nrmse).toBeLessThan(1e-12);
  // With so many replications as make it known that all intervals held the truth, more often than 97 %.
  const often = { ...varopt!, coverage_lower: 0.99 };
  expect(verdictOf(often, 0.95)).toBe("good");
  expect(verdictOf({ ...often, width: 0.1 }, 0.95)).toBe("missed");
});
