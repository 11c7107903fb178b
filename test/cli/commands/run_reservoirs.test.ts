/** Samples of fixed size of a run, against all events that it delivered. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import type { EventObject } from "#core/events/event_json.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-reservoirs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 400;
const config = join(folder, "tapio.yaml");
const file = join(folder, "events.ndjson");

function run(sampling: string, ...words: string[]) {
  writeFileSync(config, `sampling: { ${sampling} }\n`);
  const options = ["--config", config, "--pace", "max", "--seed", "5", "--duration", "0.2"];
  return tapio(["run", ...options, "--sink", `ndjson:${file}`, ...words]);
}

const wordOf = (event: EventObject): bigint => BigInt(event["sampling"] as string);
const randomnessOf = (event: EventObject): bigint => BigInt(event["randomness"] as string);

it("hold the events with the largest R of each type, from all CPUs, with what they stand for", () => {
  const sampling = `strategy: uniform, base_rate: 0.3, reservoir: { size: ${SIZE} }`;
  const { status, out, error } = run(sampling, "--cpus", "4", "-o", "json");
  expect({ status, error }).toEqual({ status: 0, error: "" });
  const { reservoirs, books } = JSON.parse(out) as RunReport;
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const delivered = lines.map((line) => JSON.parse(line) as EventObject);
  expect(new Set(delivered.map(({ cpu }) => cpu)).size).toBe(4);
  const types = new Set(delivered.map(({ event }) => event));
  expect(reservoirs!.map(({ event_type }) => event_type).sort()).toEqual([...types].sort());
  let standsFor = 0;
  for (const { event_type, epoch, delivered: count, events } of reservoirs!) {
    const ofType = delivered.filter(({ event }) => event === event_type);
    expect(count).toBe(ofType.length);
    expect(new Set(ofType.map((event) => Number(wordOf(event) >> 56n)))).toEqual(new Set([epoch]));
    ofType.sort((left, right) => (randomnessOf(left) < randomnessOf(right) ? 1 : -1));
    expect(events.map(({ event }) => event)).toEqual(ofType.slice(0, SIZE));
    // The threshold of all is just above the first R that has no place; the event's own, where that is larger.
    const next = ofType[SIZE] === undefined ? 0n : randomnessOf(ofType[SIZE]) + 1n;
    const own = wordOf(ofType[0]!) & (2n ** 56n - 1n);
    const threshold = next > own ? next : own;
    for (const { weight } of events) {
      expect(weight).toBeCloseTo(2 ** 56 / Number(2n ** 56n - threshold), 9);
      standsFor += weight;
    }
  }
  // The standard error of each type is 1/20.
  expect(Math.abs(standsFor / books.seen - 1)).toBeLessThan(0.25);
});

it("are a table for people", () => {
  const table = run("strategy: none, reservoir: { size: 10 }", "--collector", "syscall");
  expect(table.out).toMatch(/samples of fixed size\n.*in the sample.*\n +syscall +0 +[\d,]+ +10 /);
});

it("cannot be drawn where connections share their randomness", () => {
  const refused = run("strategy: uniform, consistent: true, reservoir: { size: 10 }");
  expect(refused.status).not.toBe(0);
  expect(refused.error).toMatch(/sampling\.reservoir\.size: events of a connection share/);
});
