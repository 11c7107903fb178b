/** `run` as a user meets it: what it reads, what it overwrites, and how it ends. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { RunReport } from "#cli/run/report.ts";
import { parseLcov } from "#wasm/coverage/lcov.ts";
import { tapio } from "../../support/tapio.ts";

const SAMPLE = "samples/web-loss.trace";
const folder = mkdtempSync(join(tmpdir(), "tapio-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string): string => join(folder, name);

function report(...args: readonly string[]): RunReport {
  const { status, out, error } = tapio(["run", "-o", "json", ...args]);
  expect({ status, error }).toEqual({ status: 0, error: "" });
  return JSON.parse(out) as RunReport;
}

describe("a file sink", () => {
  const kept = file("kept.ndjson");

  it.each([
    ["a wrong collector", ["--collector", "typo"]],
    ["a wrong workload", ["--workload", "typo"]],
    ["a wrong engine", ["--engine", "typo"]],
    ["a wrong mode", ["--mode", "typo"]],
    ["a mode that the engine lacks", ["--engine", "ubpf", "--mode", "paranoid"]],
    ["a missing trace", ["--trace", file("missing.trace")]],
    ["another sink that is wrong", ["--sink", `ndjson:${kept},typo`]],
  ])("keeps what the file held where the run fails for %s", (_, args) => {
    writeFileSync(kept, "precious\n");
    const sink = args.includes("--sink") ? [] : ["--sink", `ndjson:${kept}`];
    expect(tapio(["run", ...sink, ...args]).status).not.toBe(0);
    expect(readFileSync(kept, "utf8")).toBe("precious\n");
  });

  it("replaces what the file held, also where there is no event", () => {
    writeFileSync(kept, "old\n".repeat(100_000));
    const { books } = report("--trace", SAMPLE, "--collector", "tcp", "--sink", `ndjson:${kept}`);
    const lines = readFileSync(kept, "utf8").trimEnd().split("\n");
    expect(lines.length).toBe(books.delivered);
    expect(JSON.parse(lines[0]!)).toHaveProperty("event");
    report("--workload", "default", "--duration", "1e-9", "--sink", `ndjson:${kept}`);
    expect(readFileSync(kept, "utf8")).toBe("");
  });

  it("never overwrites the trace that the run reads", () => {
    const trace = file("own.trace");
    copyFileSync(SAMPLE, trace);
    const { status, error } = tapio(["run", "--trace", trace, "--sink", `ndjson:${trace}`]);
    expect(status).toBe(2);
    expect(error).toMatch(/is the trace that the run reads/);
    expect(readFileSync(trace).equals(readFileSync(SAMPLE))).toBe(true);
  });

  it("is refused twice for one file", () => {
    const sink = `ndjson:${file("twice")},ndjson:${folder}/../${folder.split("/").at(-1)}/twice`;
    const { status, error } = tapio(["run", "--trace", SAMPLE, "--sink", sink]);
    expect(status).toBe(2);
    expect(error).toMatch(/twice: two sinks write/);
  });
});

describe("standard output", () => {
  const short = ["run", "--workload", "default", "--duration", "0.01"];

  it("has one document or the events, not both", () => {
    const { status, out, error } = tapio([...short, "--sink", "ndjson:-", "-o", "json"]);
    expect({ status, out }).toEqual({ status: 2, out: "" });
    expect(error).toMatch(/ndjson:-.*-o json/);
  });

  it("loses no event to a reader that is slow", () => {
    const command = `${process.execPath} cli/main.ts run --workload default --duration 0.2 --sink ndjson:-`;
    const script = `set -o pipefail; ${command} | (sleep 1; wc -l)`;
    const { status, stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect(status).toBe(0);
    const delivered = /delivered +([\d,]+)/.exec(stderr)![1]!.replaceAll(",", "");
    expect(Number(stdout)).toBe(Number(delivered));
  });

  it("has the events alone where they go there; the report is on standard error", () => {
    const { status, out, error } = tapio([...short, "--sink", "ndjson:-"]);
    expect(status).toBe(0);
    for (const line of out.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("event");
    expect(error).toMatch(/the books balance/);
  });
});

describe("the source", () => {
  it.each(["constructor", "__proto__", "toString"])("has no workload %s", (name) => {
    const { status, error } = tapio(["run", "--workload", name]);
    expect(status).toBe(1);
    expect(error).toMatch(/there is none of this name/);
  });

  it("ends at the duration asked for, not at the block that it falls into", () => {
    const { source } = report("--trace", SAMPLE, "--duration", "0.5");
    expect(source!.span_s).toBeLessThanOrEqual(0.5);
    expect(source!.span_s).toBeGreaterThan(0.499);
  });

  it("that is a folder is refused by name", () => {
    const { status, error } = tapio(["run", "--trace", folder]);
    expect(status).toBe(1);
    expect(error).toContain(folder);
  });
});

it.each(["SIGINT", "SIGTERM"] as const)("%s ends a run with its report", async (signal) => {
  const args = ["run", "-o", "json", "--workload", "default", "--duration", "100000"];
  const run = spawn(process.execPath, ["cli/main.ts", ...args, "--sink", `ndjson:${file("long")}`]);
  let out = "";
  run.stdout.on("data", (bytes) => {
    out += bytes;
  });
  // Events in the file say that the run is under way.
  const size = (): number => {
    try {
      return readFileSync(file("long")).length;
    } catch {
      return 0;
    }
  };
  rmSync(file("long"), { force: true });
  while (size() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  run.kill(signal);
  const [status] = await once(run, "close");
  expect(status).toBe(0);
  const { books } = JSON.parse(out) as RunReport;
  expect(books.seen).toBeGreaterThan(0);
  expect(books).toMatchObject({ residual: 0, in_flight: 0, delivered: books.seen });
});

describe("coverage", () => {
  const path = file("lcov.info");

  it("counts the lines that every event passes as often as there are events", () => {
    const { events, books } = report("--trace", SAMPLE, "--collector", "tcp", "--coverage", path);
    const coverage = parseLcov(readFileSync(path, "utf8"));
    const count = (name: string, text: string): number | undefined => {
      const source = readFileSync(name, "utf8").split("\n");
      return coverage.files.get(name)!.lines.get(source.findIndex((one) => one.includes(text)) + 1);
    };
    const collector = "bpf/tcp_monitor.bpf.c";
    expect(count("bpf/include/bpf_batch.h", "bpf_ringbuf_submit(header")).toBe(books.delivered);
    expect(count("bpf/include/bpf_batch.h", "bpf_ringbuf_reserve(&events")).toBe(books.seen);
    const states = events["tcp_state"]! + events["tcp_connect_failed"]!;
    expect(count(collector, "event->old_state = transition")).toBe(states);
    expect(count(collector, "event->old_state = retransmit")).toBe(events["tcp_retransmit"]);
    expect(count("bpf/include/filter_judge.h", "filter_judge_by(")).toBe(0);
  });

  it("is refused in one line on the engine that does not compile", () => {
    const { status, error } = tapio(["run", "--coverage", path, "--engine", "ubpf"]);
    expect({ status, lines: error.split("\n").length }).toEqual({ status: 1, lines: 1 });
    expect(error).toMatch(/the engine ubpf cannot; use aot/);
  });
});
