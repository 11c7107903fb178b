import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import type { BpfObject } from "#core/backend.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { effectOf, helperCallOf } from "#wasm/tracing/effect.ts";
import { HELPER_PARAMETERS } from "#wasm/tracing/helper_parameters.ts";
import { type Step, type TraceListener, Tracer, type TracerOptions } from "#wasm/tracing/tracer.ts";
import { ValueNames } from "#wasm/tracing/value_names.ts";
import { compileBpf } from "../../../support/clang.ts";

const OBJECT = compileBpf(fileURLToPath(new URL("traced.bpf.c", import.meta.url)));

interface Machine {
  readonly backend: WasmBackend;
  readonly object: BpfObject;
  readonly tracer: Tracer;
}

async function machine(options: TracerOptions): Promise<Machine> {
  const tracer = new Tracer(options);
  const backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    instrument: tracer.instrument,
  });
  const object = backend.open(OBJECT);
  object.load();
  return { backend, object, tracer };
}

function run({ object }: Machine, program: string, word: number): number {
  const context = new Uint8Array(Uint32Array.of(word).buffer);
  return object.programs.get(program)!.run(context).returnValue;
}

const place = ({ program, slot }: Step): string => program.functionName(slot);

/** Everything but single steps, as text. */
function calls(events: string[]): TraceListener {
  return {
    begin: (number, first) => events.push(`begin ${number} ${place(first)}`),
    enter: (caller, first) =>
      events.push(`${place(caller)} calls ${place(first)} at depth ${first.depth}`),
    leave: (exit) => events.push(`${place(exit)} returns ${exit.registers[0]}`),
    replace: (caller, first) => events.push(`${place(caller)} becomes ${place(first)}`),
    end: (number) => events.push(`end ${number}`),
  };
}

describe("the tracer", () => {
  it("tells calls of functions and what they return", async () => {
    const events: string[] = [];
    expect(run(await machine({ listener: calls(events) }), "visit", 5)).toBe(11);
    expect(events).toEqual([
      "begin 1 visit",
      "visit calls twice at depth 1",
      "twice returns 10",
      "visit returns 11",
      "end 1",
    ]);
  });

  it("tells each run of a callback", async () => {
    const events: string[] = [];
    expect(run(await machine({ listener: calls(events) }), "rounds", 2)).toBe(1);
    const round = ["rounds calls each at depth 1", "each returns 0"];
    expect(events).toEqual(["begin 1 rounds", ...round, ...round, "rounds returns 1", "end 1"]);
  });

  it("follows tail calls", async () => {
    const events: string[] = [];
    expect(run(await machine({ listener: calls(events) }), "jump", 0)).toBe(0);
    expect(events).toEqual(["begin 1 jump", "jump becomes rounds", "rounds returns 0", "end 1"]);
  });

  it("says after a step what it did", async () => {
    const effects: [Step, Step][] = [];
    const after = (step: Step, next: Step): void => void effects.push([step, next]);
    run(await machine({ listener: { after } }), "visit", 5);
    const helpers = effects.flatMap(([step, next]) => {
      const call = helperCallOf(step);
      return call === undefined ? [] : [[call.helper, effectOf(step, next).result]];
    });
    expect(helpers).toEqual([
      ["bpf_map_lookup_elem", 0n],
      ["bpf_map_update_elem", 0n],
    ]);
    for (const [step, next] of effects) {
      const told = new Map(effectOf(step, next).changed.map((one) => [one.register, one.value]));
      for (let register = 0; register < 10; register++) {
        const before = step.registers[register];
        expect(told.get(register) ?? before).toBe(next.registers[register]);
      }
    }
  });

  it("traces the run that it is asked for, of the programs that it is asked for", async () => {
    const events: string[] = [];
    const traced = await machine({ listener: calls(events), programs: ["visit"], run: 2 });
    for (const word of [5, 6, 7]) {
      run(traced, "visit", word);
      run(traced, "rounds", 1);
    }
    expect(events[0]).toBe("begin 2 visit");
    expect(events).toContain("twice returns 12");
    expect(events.at(-1)).toBe("end 2");
    expect(traced.tracer.runs).toBe(3);
  });

  it("keeps the steps of a run that faulted, and ends one by a throw", async () => {
    const faulted = await machine({ listener: {} });
    expect(() => run(faulted, "overrun", 1_000_000)).toThrow(/may not read/);
    const [step] = faulted.tracer.open;
    expect(step!.program.line(step!.slot)!.text).toContain("wherever");
    const before = (): never => {
      throw new Error("enough");
    };
    const stopped = await machine({ listener: { before } });
    expect(() => run(stopped, "visit", 1)).toThrow(/^enough$/);
  });
});

describe("names of values", () => {
  it("are those of maps, variables, stack and context", async () => {
    const names: string[] = [];
    let known: ValueNames | undefined;
    const traced = await machine({
      listener: {
        begin: (_, first) => {
          known!.begin(first, 4);
          names.push(known!.nameOf(first.registers[1]!, traced.tracer.open)!);
        },
        after: (step, next) => {
          const call = helperCallOf(step);
          if (call !== undefined) known!.note(call, effectOf(step, next).result!);
          for (const { value } of effectOf(step, next).changed) {
            const name = known!.nameOf(value, traced.tracer.open);
            if (name !== undefined) names.push(name);
          }
        },
      },
    });
    const { backend, object } = traced;
    known = new ValueNames(backend.instance, object.btf, object.maps.values());
    run(traced, "visit", 5);
    run(traced, "visit", 5);
    for (const name of ["ctx", "visits", "fp", "fp-4", "value of visits", "total"]) {
      expect(names).toContain(name);
    }
  });
});

describe("parameters of helpers", () => {
  it("are those of libbpf's header", () => {
    const header = readFileSync("/usr/include/bpf/bpf_helper_defs.h", "utf8");
    const declared = /\(\*(bpf_\w+)\)\((.*)\) = \(void \*\) \d+;/g;
    const known = new Map([...header.matchAll(declared)].map((match) => [match[1]!, match[2]!]));
    for (const [name, parameters] of HELPER_PARAMETERS) {
      const text = known.get(name)!;
      const expected = text === "void" ? [] : text.split(",").map((one) => /[\w.]+$/.exec(one)![0]);
      expect(parameters, name).toEqual(expected);
    }
  });
});
