import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { CoverageCollector } from "#wasm/coverage/collector.ts";
import { Coverage, type FileCoverage } from "#wasm/coverage/coverage.ts";
import { formatLcov, parseLcov } from "#wasm/coverage/lcov.ts";
import { summaryLines } from "#wasm/coverage/summary.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { compileBpf } from "../../../support/clang.ts";
import { createInstance, link } from "../../../wasm/program_fixture.ts";

const SOURCE = fileURLToPath(new URL("counted.bpf.c", import.meta.url));
const OBJECT = compileBpf(SOURCE);
const TEXT = readFileSync(SOURCE, "utf8").split("\n");

async function backendWith(collector: CoverageCollector): Promise<WasmBackend> {
  return createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    instrument: collector.instrument,
  });
}

/** Runs a program once for each context, which is one word. */
function run(backend: WasmBackend, program: string, contexts: readonly number[]): number[] {
  const object = backend.open(OBJECT);
  object.load();
  if (program === "jump") fillArray(object);
  const results = contexts.map((word) => {
    const context = new Uint8Array(Uint32Array.of(word).buffer);
    return object.programs.get(program)!.run(context).returnValue;
  });
  object.close();
  return results;
}

/** Entry 1 of the program array becomes `target`. */
function fillArray(object: ReturnType<WasmBackend["open"]>): void {
  const words = Uint32Array.of(1, object.programs.get("target")!.handle);
  const bytes = new Uint8Array(words.buffer);
  object.maps.get("next")!.update(bytes.subarray(0, 4), bytes.subarray(4));
}

function file(coverage: Coverage): FileCoverage {
  return coverage.files.get(SOURCE)!;
}

/** The count of the line that holds the text. */
function count(coverage: Coverage, text: string): number | undefined {
  return file(coverage).lines.get(TEXT.findIndex((line) => line.includes(text)) + 1);
}

async function covered(program: string, contexts: readonly number[]): Promise<Coverage> {
  const collector = new CoverageCollector();
  const backend = await backendWith(collector);
  run(backend, program, contexts);
  backend.close();
  return collector.read();
}

describe("coverage of a program", () => {
  it("counts loops, branches and subprograms by line", async () => {
    const coverage = await covered("counted", [5, 3, 101]);
    expect(count(coverage, "rounds = *context")).toBe(3);
    expect(count(coverage, "/* too many */")).toBe(1);
    expect(count(coverage, "/* each round */")).toBe(8);
    expect(count(coverage, "/* after the loop */")).toBe(2);
    expect(count(coverage, "if (number & 1)")).toBe(8);
    expect(count(coverage, "/* odd */")).toBe(3);
    expect(count(coverage, "the tail call's target")).toBe(0);
    const functions = [...file(coverage).functions].map(([name, { count }]) => [name, count]);
    expect(Object.fromEntries(functions)).toEqual({ counted: 3, add_odd: 8, jump: 0, target: 0 });
  });

  it("counts both ways of a branch", async () => {
    const coverage = await covered("counted", [5, 3, 101]);
    const line = TEXT.findIndex((text) => text.includes("if (number & 1)")) + 1;
    const ways = [...file(coverage).branches].filter((branch) => branch.line === line);
    expect(ways.map(({ taken }) => taken).sort()).toEqual([3, 5]);
    const unreached = await covered("counted", [101]);
    const none = [...file(unreached).branches].filter((branch) => branch.line === line);
    expect(none.map(({ taken }) => taken)).toEqual([undefined, undefined]);
  });

  it("counts what follows a tail call only where it failed", async () => {
    const coverage = await covered("jump", [1, 0, 1, 1]);
    expect(count(coverage, "bpf_tail_call(context")).toBe(4);
    expect(count(coverage, "/* the tail call failed */")).toBe(1);
    expect(count(coverage, "the tail call's target")).toBe(3);
  });

  it("is there before the program is closed, and not counted twice after", async () => {
    const collector = new CoverageCollector();
    const backend = await backendWith(collector);
    const object = backend.open(OBJECT);
    object.load();
    const program = object.programs.get("target")!;
    expect(program.run(new Uint8Array(4)).returnValue).toBe(7);
    expect(count(collector.read(), "the tail call's target")).toBe(1);
    const used = backend.instance.exports.rt_memory_used();
    object.close();
    expect(count(collector.read(), "the tail call's target")).toBe(1);
    expect(backend.instance.exports.rt_memory_used()).toBeLessThan(used);
    backend.close();
  });

  it("leaves programs without lines alone", async () => {
    const instance = await createInstance();
    const { instrument } = new CoverageCollector();
    expect(instrument(instance, link("mov %r0, 0\nexit"))).toBeUndefined();
  });

  it("is refused in one line on the engine that does not compile", async () => {
    const refused = createWasmBackend({
      runtime: await loadRuntimeModule(),
      kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
      engine: "ubpf",
      instrument: new CoverageCollector().instrument,
    });
    await expect(refused).rejects.toThrow(/^instrument programs: the engine ubpf cannot/);
  });
});

describe("lcov", () => {
  it("is read as it was written", async () => {
    const text = formatLcov(await covered("counted", [5, 3, 101]));
    expect(formatLcov(parseLcov(text))).toBe(text);
    expect(text).toContain(`SF:${SOURCE}\n`);
    const totals = /^LF:(\d+)\nLH:(\d+)$/m.exec(text)!;
    const lines = [...text.matchAll(/^DA:\d+,(\d+)$/gm)].map((match) => Number(match[1]));
    expect(lines.length).toBe(Number(totals[1]));
    expect(lines.filter((line) => line > 0).length).toBe(Number(totals[2]));
  });

  it("of two runs merges to that of both", async () => {
    const merged = parseLcov(formatLcov(await covered("counted", [5, 101])));
    merged.merge(parseLcov(formatLcov(await covered("counted", [3]))));
    merged.merge(parseLcov(formatLcov(await covered("jump", [1, 0]))));
    const collector = new CoverageCollector();
    const backend = await backendWith(collector);
    run(backend, "counted", [5, 101]);
    run(backend, "counted", [3]);
    run(backend, "jump", [1, 0]);
    backend.close();
    expect(formatLcov(merged)).toBe(formatLcov(collector.read()));
  });

  it.each(["DA:1,1", "SF:a\nDA:1", "SF:a\nDA:x,1", "SF:a\nBRDA:1,2,3", "words"])(
    "is refused where it is none: %j",
    (text) => {
      expect(() => parseLcov(text, "a.info")).toThrow(
        /^read a\.info: line \d is no line of lcov: /,
      );
    },
  );
});

describe("the summary", () => {
  it("names the stretches of lines that never ran", () => {
    const coverage = new Coverage();
    const counts = { 3: 1, 5: 0, 7: 0, 8: 2, 12: 0 };
    for (const [line, count] of Object.entries(counts)) {
      coverage.file("bpf/a.h").addLine(Number(line), count);
    }
    coverage.file("bpf/a.h").addBranch({ line: 3, block: 1, branch: 0, taken: 1 });
    coverage.file("bpf/a.h").addBranch({ line: 5, block: 1, branch: 0, taken: undefined });
    coverage.file("elsewhere.c").addLine(1, 1);
    const own = coverage.renamed((path) => (path.startsWith("bpf/") ? path : undefined));
    expect(summaryLines(own)).toEqual(["bpf/a.h 2 of 5 lines, 1 of 2 branch ways; never: 5-7, 12"]);
  });
});
