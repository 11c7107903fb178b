/** Traces as people and scripts read them, of programs whose steps are known. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { JsonTrace } from "#cli/vm_trace/json_trace.ts";
import { LineInput } from "#cli/vm_trace/line_input.ts";
import { checkLines } from "#cli/vm_trace/missing_lines.ts";
import { Stepper } from "#cli/vm_trace/stepper.ts";
import { TextTrace } from "#cli/vm_trace/text_trace.ts";
import { type TracedRunRequest, type TraceSession, traceRuns } from "#cli/vm_trace/traced_run.ts";
import type { TraceListener } from "#wasm/tracing/tracer.ts";
import { compileBpf } from "../../support/clang.ts";

const SAMPLE = "samples/web-loss.trace";
const SOURCE = fileURLToPath(new URL("../../backends/wasm/tracing/traced.bpf.c", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tapio-vm-trace-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OBJECT = join(folder, "traced.bpf.o");
writeFileSync(OBJECT, compileBpf(SOURCE));
/** The line, in the subprogram, that adds to the global variable. */
const ADD =
  readFileSync(SOURCE, "utf8")
    .split("\n")
    .findIndex((line) => line.includes("total += number")) + 1;

type Listen = (session: TraceSession, write: (line: string) => void) => TraceListener;

const asText: Listen = (session, write) => new TextTrace(session, { write, linesOnly: false });
const asLines: Listen = (session, write) => new TextTrace(session, { write, linesOnly: true });
const asJson: Listen = (session, write) => new JsonTrace(session, { write, linesOnly: false });

/** Obeys these commands, then the input ends. */
const obeying =
  (...commands: readonly string[]): Listen =>
  (session, write) => {
    const left = [...commands];
    return new Stepper(session, { write, ask: () => left.shift() });
  };

/** A context of one word. */
function word(value: number): TracedRunRequest["input"] {
  const bytes = new Uint8Array(Uint32Array.of(value).buffer);
  return { kind: "context", bytes, cpu: 0 };
}

const lines: string[] = [];

/** What is written; addresses, which depend on where things lie, become `0x..`. */
async function trace(
  listen: Listen,
  program: string | undefined,
  request: Partial<TracedRunRequest> = {},
): Promise<string[]> {
  lines.length = 0;
  const write = (line: string): void => {
    lines.push(line.replaceAll(/0x[0-9a-f]{5,}/g, "0x..").replaceAll(SOURCE, "traced.bpf.c"));
  };
  await traceRuns({
    object: OBJECT,
    program,
    input: word(5),
    at: undefined,
    config: undefined,
    coverage: undefined,
    listener: (session) => listen(session, write),
    ...request,
  });
  return [...lines];
}

const squeezed = (text: string): string => text.trim().replaceAll(/\s{2,}/g, "  ");

describe("a trace as text", () => {
  it("has source lines, instructions, and what they did", async () => {
    const shown = (await trace(asText, "visit")).map(squeezed);
    expect(shown.slice(0, 3)).toEqual([
      "run 1: visit on CPU 0 at 0 ns",
      expect.stringMatching(/^traced\.bpf\.c:\d+ {2}unsigned int key = \*context;$/),
      "0: r1 = *(u32 *)(r1 + 0)  r1 = 5",
    ]);
    expect(shown).toContain("1: *(u32 *)(r10 - 4) = r1  *(fp-4) = 5");
    const calls = shown.filter((line) => line.includes("call "));
    expect(calls.map((line) => line.replace(/^\d+: /, ""))).toEqual([
      "call bpf_map_lookup_elem  (map = visits, key = fp-4) = 0",
      "call bpf_map_update_elem  (map = visits, key = fp-4, value = fp-16, flags = 0) = 0",
      "call twice",
      "call twice  = 10",
    ]);
    expect(shown.at(-1)).toMatch(/exit {2}returns 11$/);
  });

  it("sets functions, callbacks and tail calls apart", async () => {
    const functions = (shown: readonly string[]): string[] =>
      shown.filter((line) => line.endsWith(":")).map(squeezed);
    expect(functions(await trace(asText, "visit"))).toEqual(["twice:"]);
    expect(functions(await trace(asText, "rounds", { input: word(3) }))).toEqual([
      "each:",
      "each:",
      "each:",
    ]);
    const jump = functions(await trace(asText, "jump", { input: word(1) }));
    expect(jump).toEqual(["tail call of rounds:", "each:"]);
  });

  it("ends with the instruction that faulted", async () => {
    const run = trace(asText, "overrun", { input: word(1_000_000) });
    await expect(run).rejects.toThrow(
      /traced\.bpf\.c:\d+: .*: load of 4 bytes at .*, which the program may not read/,
    );
    expect(lines.at(-1)).toMatch(/r0 = \*\(u32 \*\)\(r1 \+ 0\) +ends the run$/);
  });

  it("shows source lines only where asked", async () => {
    const shown = await trace(asLines, "visit");
    expect(shown.filter((line) => /^\s*\d+: /.test(line))).toEqual([]);
    expect(shown.map(squeezed).at(-2)).toMatch(
      /return number \* 2; \/\* doubled \*\/|return twice/,
    );
  });
});

describe("a trace as JSON", () => {
  it("has every instruction of the text", async () => {
    const text = await trace(asText, "rounds");
    const records = (await trace(asJson, "rounds")).map((line) => JSON.parse(line));
    const instructions = records.filter(({ event }) => event === "instruction");
    const shown = text.filter((line) => /^ *\d+: /.test(line));
    // A call that runs a callback stands twice in the text: as it begins, and with its result.
    expect(instructions.length).toBe(shown.length - 1);
    expect(records[0]).toEqual({ event: "run", run: 1, program: "rounds", cpu: 0, time_ns: 0 });
    const loop = instructions.find(({ helper }) => helper === "bpf_loop");
    expect(loop).toMatchObject({ result: "0x5", arguments: { nr_loops: "0x5", flags: "0x0" } });
    expect(instructions.filter((one) => one.function === "each" && "returns" in one).length).toBe(
      5,
    );
    expect(instructions.at(-1)).toMatchObject({ depth: 0, returns: "0xa" });
  });
});

describe("events of a recording", () => {
  const input = { kind: "events", path: SAMPLE } as const;

  it("run through a collector, and the one asked for is shown", async () => {
    const request = { object: "tcp", input, at: 4 };
    const shown = await trace(asText, "tcp_state", request);
    expect(shown.filter((line) => line.startsWith("run "))).toEqual([
      expect.stringMatching(/^run 4: tcp_state on CPU \d at \d+ ns$/),
    ]);
    expect(shown.at(-1)).toMatch(/exit +returns 0$/);
  });

  it("are too few for the one asked for", async () => {
    const run = trace(asText, "tcp_retransmit", { object: "tcp", input, at: 1_000_000 });
    await expect(run).rejects.toThrow(/^trace .*: tcp_retransmit runs only \d+ times; choose/);
    const other = trace(asText, "visit", { input });
    await expect(other).rejects.toThrow(/no event of it runs visit/);
  });
});

describe("an object without line information", () => {
  it("is traced by instruction, and says so once", async () => {
    const path = join(folder, "bare.bpf.o");
    execFileSync("llvm-objcopy", ["--remove-section=.BTF.ext", OBJECT, path]);
    const warnings: string[] = [];
    const listen: Listen = (session, write) => {
      const check = checkLines(false, (message) => warnings.push(message));
      return { ...bound(asText(session, write)), begin: (run, first) => check.begin!(run, first) };
    };
    const shown = await trace(listen, "visit", { object: path });
    expect(shown.every((line) => /^\s*(\d+: |twice:)/.test(line))).toBe(true);
    expect(warnings).toEqual([expect.stringMatching(/^visit: .*so there are only instructions/)]);
    const required = trace(() => checkLines(true, () => {}), "visit", { object: path });
    await expect(required).rejects.toThrow(
      /^trace visit: .*no line information; compile it with -g/,
    );
  });
});

/** Methods of a class as a listener that can be spread. */
function bound(listener: TraceListener): TraceListener {
  return {
    before: (step) => listener.before?.(step),
    enter: (caller, first) => listener.enter?.(caller, first),
    after: (step, next) => listener.after?.(step, next),
    leave: (exit) => listener.leave?.(exit),
  };
}

describe("single steps", () => {
  const places = (shown: readonly string[]): string[] =>
    shown.filter((line) => line.startsWith("=> ")).map((line) => line.slice(3));

  it("go by instruction; an empty line does the same again", async () => {
    const shown = await trace(obeying("s", "", "step", "q"), "visit");
    expect(places(shown).map((place) => Number.parseInt(place, 10))).toEqual([0, 1, 2, 3]);
    expect(shown.some((line) => squeezed(line).endsWith("r1 = 5"))).toBe(true);
  });

  it("go by source line, over calls", async () => {
    const shown = await trace(obeying(...Array(20).fill("n")), "visit");
    const sources = shown.filter((line) => line.startsWith("traced.bpf.c:"));
    expect(sources[0]).toContain("key = *context");
    expect(sources.some((line) => line.includes("return twice(key)"))).toBe(true);
    expect(sources.some((line) => line.includes("doubled"))).toBe(false);
    expect(shown.at(-1)).toMatch(/returns 11$/);
  });

  it("go into functions, say where they are, and out again", async () => {
    const shown = await trace(obeying(`c traced.bpf.c:${ADD}`, "w", "f", "w", "q"), "visit");
    expect(shown).toContainEqual(expect.stringContaining(`#1 twice at traced.bpf.c:${ADD}, `));
    const outside = shown.filter((line) => line.startsWith("#"));
    expect(outside.at(-1)).toMatch(/^#0 visit at /);
  });

  it("go on to a line, and to the end", async () => {
    const shown = await trace(obeying("c 10000", `c ${ADD}`, "c"), "visit");
    expect(shown).toContain("10000: no line with code; give LINE or FILE:LINE");
    expect(places(shown).length).toBe(2);
    expect(shown.at(-1)).toMatch(/returns 11$/);
  });

  it("show registers, stack and maps", async () => {
    const commands = ["n", "n", "n", "r", "k", "m", "m visits", "m .bss", "x", "h"];
    const shown = await trace(obeying(...commands), "visit");
    expect(shown).toContain("r10 = 0x.. (fp)");
    expect(shown).toContainEqual(expect.stringMatching(/^fp-16: 0x.. 1$/));
    expect(shown).toContain("the maps are next, visits, .bss");
    expect(shown).toContain("total = 0");
    expect(shown).toContain("no command x; h lists them");
    expect(shown).toContainEqual(expect.stringMatching(/^q, quit/));
    const after = await trace(obeying(`c ${ADD}`, "m visits"), "visit");
    expect(after.at(-1)).toBe("5: 1");
  });
});

describe("lines of input", () => {
  it("come one by one, the last without its end too", () => {
    const path = join(folder, "commands");
    writeFileSync(path, `s\r\n\n${"x".repeat(10_000)}\nlast`);
    const input = new LineInput(openSync(path, "r"));
    expect(input.next()).toBe("s");
    expect(input.next()).toBe("");
    expect(input.next()?.length).toBe(10_000);
    expect(input.next()).toBe("last");
    expect(input.next()).toBeUndefined();
  });
});
