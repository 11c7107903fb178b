/** Results do not depend on how the work is divided: byte for byte, warnings and timelines included. */
import { expect, it } from "vitest";
import { experimentSchema } from "#lab/experiment.ts";
import { mergeResults } from "#lab/results.ts";
import { runInWorkers } from "#lab/run_in_workers.ts";

const experiment = experimentSchema.parse({
  name: "divided",
  replications: 20,
  quantities: ["total", "by_type", "mean"],
  workloads: [
    { name: "heavy", kind: "pareto", events: 800, alpha: 1.1, types: { count: 3 } },
    {
      name: "step",
      kind: "constant",
      load: {
        phases: [
          { seconds: 1, events_per_s: 200 },
          { seconds: 1, events_per_s: 2000 },
        ],
      },
    },
  ],
  strategies: [
    { name: "uniform", kind: "uniform", rate: 0.2 },
    { name: "adaptive", kind: "adaptive", target_events_per_s: 300 },
    { name: "priority", kind: "priority_sampling", k: 40 },
  ],
});

const run = (workers: number, index = 0, count = 1) =>
  runInWorkers(experiment, { seed: 5, shard: { index, count }, recordings: new Map() }, workers);

it("1, 2 and 3 workers, and 3 shards, give the same", async () => {
  const whole = JSON.stringify(await run(1));
  expect(whole).toContain('"timeline"');
  expect(JSON.stringify(await run(2))).toBe(whole);
  expect(JSON.stringify(await run(3))).toBe(whole);
  const shards = [await run(1, 2, 3), await run(2, 0, 3), await run(1, 1, 3)];
  // As files: what JSON cannot hold must not be in there.
  const stored = shards.map((shard) => JSON.parse(JSON.stringify(shard)) as typeof shard);
  expect(JSON.stringify(mergeResults(stored))).toBe(whole);
});

it("does not merge what does not belong together, or is not all", async () => {
  const [first, second] = [await run(1, 0, 2), await run(1, 1, 2)];
  expect(() => mergeResults([first])).toThrow(/a shard is missing, or came twice/);
  expect(() => mergeResults([first, first])).toThrow(/a shard is missing, or came twice/);
  const edited = { ...second, cells: second.cells.map((cell) => ({ ...cell, truth: 1 })) };
  expect(() => mergeResults([first, edited])).toThrow(/do not belong together/);
});

it("a worker's error is the caller's, in one line", async () => {
  const phases = [{ seconds: 1000, events_per_s: 1e6 }];
  const workloads = [
    experimentSchema.shape.workloads.element.parse({
      name: "too much",
      kind: "constant",
      load: { phases },
    }),
  ];
  const options = { seed: 1, shard: { index: 0, count: 1 }, recordings: new Map() };
  const run = (workers: number) => runInWorkers({ ...experiment, workloads }, options, workers);
  const line = "generate load: it has 1000000000 events; at most 10000000 fit";
  await expect(run(1)).rejects.toThrow(line);
  await expect(run(2)).rejects.toThrow(line);
});

it("shards that are smaller than the number of workers are run whole", async () => {
  const shards = await Promise.all(
    Array.from({ length: 25 }, (_, index) => run(index < 2 ? 3 : 1, index, 25)),
  );
  expect(JSON.stringify(mergeResults(shards))).toBe(JSON.stringify(await run(1)));
});
