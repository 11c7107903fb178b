/** Which accesses need no check: that one is left out is all that tells whether the analysis still finds it. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { MAP_FLAG, MAP_TYPE } from "#core/backend.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { type AccessFindings, analyseAccesses } from "#wasm/engines/access_analysis.ts";
import { aotEngine } from "#wasm/engines/aot/aot.ts";
import { takeApart } from "#wasm/engines/function_code.ts";
import { instructionClass } from "#wasm/engines/opcodes.ts";
import { resolveData } from "#wasm/engines/references.ts";
import type { Named } from "#wasm/engines/register_flow.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { CLASS } from "#wasm/loader/instructions.ts";
import { createInstance, createMap } from "../../../../wasm/program_fixture.ts";
import { safeSlots, type World } from "./safe_access_programs.ts";

let world: World;

beforeAll(async () => {
  const instance = await createInstance();
  const inner = { name: "inner", keySize: 0, valueSize: 0, maxEntries: 4096 } as const;
  const ring = createMap(instance, { ...inner, type: MAP_TYPE.ringbuf });
  world = {
    instance,
    maps: {
      hash: createMap(instance, { type: MAP_TYPE.hash, valueSize: 64 }),
      percpu: createMap(instance, { type: MAP_TYPE.percpu_array, valueSize: 12 }),
      data: createMap(instance, { valueSize: 64 }),
      constants: createMap(instance, { valueSize: 64, flags: MAP_FLAG.RDONLY_PROG }),
      huge: createMap(instance, { valueSize: 2 ** 19 + 8 }),
      ring,
      outer: createMap(instance, {
        type: MAP_TYPE.array_of_maps,
        valueSize: 4,
        inner: ring.spec,
      }),
    },
  };
});

const lookUp = (map: string): string => `
  stdw [%r10-8], 0
  mov %r2, %r10
  add %r2, -8
  lddw %r1, 0  # map ${map}
  call 1
  mov %r7, %r0
`;
const RESERVE = `
  lddw %r1, 0  # map ring
  mov %r2, 64
  mov %r3, 0
  call 131
  mov %r6, %r0
`;
const END = "\nmov %r0, 0\nexit\n";

/** Every access that needs no check is marked. */
const PROGRAMS = [
  {
    what: "global data, from the first access on",
    text: "lddw %r7, 0  # value data+8\nldxdw %r1, [%r7]  # safe\nstdw [%r7+48], 1  # safe",
  },
  {
    what: "constants, where they are read",
    text: "lddw %r7, 0  # value constants\nldxdw %r1, [%r7+56]  # safe\nstdw [%r7], 1",
  },
  {
    what: "global data, as far as it reaches",
    text: "lddw %r7, 0  # value data+8\nldxdw %r1, [%r7+48]  # safe\nldxdw %r1, [%r7+49]\nldxb %r1, [%r7-8]  # safe\nldxb %r1, [%r7-9]",
  },
  {
    what: "a value, once it was used",
    text: `${lookUp("hash")}ldxdw %r1, [%r7]\nstdw [%r7+56], 1  # safe\nldxw %r1, [%r0+60]  # safe`,
  },
  {
    what: "a value, once it was used whatever the way",
    text: `mov %r8, %r1\n${lookUp("hash")}ldxdw %r8, [%r8]
      jeq %r8, 0, other
      ldxdw %r1, [%r7]
      ja both
    other:
      stdw [%r7+8], 1
    both:
      ldxdw %r1, [%r7+16]  # safe`,
  },
  {
    what: "no value that was used one way only",
    text: `mov %r8, %r1\n${lookUp("hash")}ldxdw %r8, [%r8]\njeq %r8, 0, other\nldxdw %r1, [%r7]
    other:
      ldxdw %r1, [%r7+16]`,
  },
  {
    what: "a value at an index within its bounds",
    text: `mov %r8, %r1\n${lookUp("hash")}ldxdw %r1, [%r7]\nldxdw %r2, [%r8]\nand %r2, 56
      add %r7, %r2
      ldxdw %r1, [%r7]  # safe
      ldxdw %r1, [%r7+1]
      stdw [%r7], 1  # safe
      lock add [%r7], %r1`,
  },
  {
    what: "aligned atomics in a value",
    text: `${lookUp("percpu")}ldxdw %r1, [%r7]\nlock add [%r7], %r1  # safe\nlock add32 [%r7+8], %r1  # safe
      lock add32 [%r7+6], %r1
      load_acquire32 %r2, [%r7+8]  # safe`,
  },
  {
    what: "a value that was spilled and reloaded",
    text: `${lookUp("hash")}ldxdw %r1, [%r7]\nstxdw [%r10-16], %r7\nstdw [%r10-24], 1\ncall 8
      mov %r1, %r10
      add %r1, -24
      mov %r2, 8
      mov %r3, 0
      call 113
      ldxdw %r7, [%r10-16]
      stdw [%r7], 1  # safe`,
  },
  {
    what: "a value that was spilled, around a subprogram that writes to its own frame and to objects",
    text: `${lookUp("hash")}ldxdw %r1, [%r7]\nstxdw [%r10-16], %r7\ncall local counts
      ldxdw %r7, [%r10-16]
      stdw [%r7], 1  # safe
      mov %r0, 0
      exit
    counts:
      stdw [%r10-8], 1
      lddw %r1, 0  # value data
      stdw [%r1], 1  # safe`,
  },
  {
    what: "a value in a loop that finds another each round, once it was used in the round",
    text: `mov %r8, 0
    again:
      ${lookUp("hash")}
      ldxdw %r1, [%r7]
      stdw [%r7], 1  # safe
      add %r8, 1
      jlt %r8, 3, again`,
  },
  {
    what: "a value after a loop that leaves it alone",
    text: `${lookUp("hash")}ldxdw %r1, [%r7]\nmov %r8, 0
    again:
      stdw [%r7], 1  # safe
      add %r8, 1
      jlt %r8, 3, again
      stdw [%r7], 1  # safe`,
  },
  {
    what: "a record, until it is given back",
    text: `${RESERVE}stdw [%r6], 1\nstdw [%r6+56], 1  # safe\nmov %r1, %r6\nmov %r2, 0\ncall 132\nstdw [%r6], 1`,
  },
  {
    what: "a value, also where a record is given back",
    text: `${lookUp("hash")}ldxdw %r1, [%r7]\n${RESERVE}stdw [%r6], 1\nmov %r1, %r6\nmov %r2, 0\ncall 133
      stdw [%r7], 1  # safe`,
  },
  {
    what: "no record of an inner ring",
    text: `${lookUp("outer")}mov %r1, %r0\nmov %r2, 64\nmov %r3, 0\ncall 131\nstdw [%r0], 1\nstdw [%r0+8], 1`,
  },
  {
    what: "no value that would reach from NULL to where programs have memory",
    text: `${lookUp("huge")}ldxdw %r1, [%r7]\nldxdw %r1, [%r7+8]`,
  },
  {
    what: "nothing that the context says",
    text: "mov %r6, %r1\nldxdw %r1, [%r6]\nldxdw %r1, [%r6]\nldxdw %r7, [%r6]\nldxdw %r1, [%r7]",
  },
];

describe("no check is needed for", () => {
  it.each(PROGRAMS)("$what", ({ text }) => {
    const { found, marked } = safeSlots(world, text + END);
    expect(found).toEqual(marked);
  });
});

interface Counted {
  readonly accesses: number;
  readonly checks: number;
}

/** Of each function that the shipped object's programs consist of, by name. */
async function countChecks(artifact: string): Promise<ReadonlyMap<string, Counted>> {
  const counted = new Map<string, Counted>();
  const load = aotEngine.load;
  const spy = vi.spyOn(aotEngine, "load");
  spy.mockImplementation((instance, program, resolve, options) => {
    const loaded = load(instance, program, resolve, options);
    const named = new Map<number, Named>();
    for (const reference of program.references) {
      if (reference.kind === "function") continue;
      const { handle } = loaded;
      named.set(reference.slot, resolveData(instance, handle, reference, resolve(reference)).named);
    }
    const code = takeApart(program);
    const findings = analyseAccesses(code, named);
    for (const { name, start, end } of code.functions) {
      counted.set(name, countIn(code.instructions.slice(start, end), start, findings));
    }
    return loaded;
  });
  const backend = await createWasmBackend({
    runtime: await loadRuntimeModule(),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
  });
  try {
    backend.open(readArtifact(artifact)).load();
  } finally {
    backend.close();
    spy.mockRestore();
  }
  return counted;
}

const ACCESSES: ReadonlySet<number> = new Set([CLASS.LDX, CLASS.ST, CLASS.STX]);

function countIn(
  instructions: ReturnType<typeof takeApart>["instructions"],
  start: number,
  { safe, ownFrame }: AccessFindings,
): Counted {
  let accesses = 0;
  let checks = 0;
  instructions.forEach((instruction, index) => {
    if (instruction === undefined || !ACCESSES.has(instructionClass(instruction))) return;
    accesses++;
    if (!safe.has(start + index) && !ownFrame.has(start + index)) checks++;
  });
  return { accesses, checks };
}

describe("the shipped collector of system calls", () => {
  it("checks few of its accesses where a call ends", async () => {
    const counted = await countChecks("bpf/syscall_monitor.bpf.o");
    const { accesses, checks } = counted.get("syscall_exit")!;
    expect(accesses).toBeGreaterThan(150);
    // 44 of 243; without the analysis of objects it is more than half of them.
    expect(checks).toBeLessThanOrEqual(48);
  });
});
