/** Objects that a process opens again share what was made of them, and nothing else. */
import { expect, it } from "vitest";
import { readArtifact } from "#cli/artifacts.ts";
import { MAP_TYPE } from "#core/backend.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { MODES } from "#wasm/engines/engine.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { linkOnce, parseOnce } from "#wasm/loader/opened_before.ts";
import { compileBpf } from "../support/clang.ts";

const source = (step: number) => `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
const volatile unsigned int factor = 1;
unsigned long long total = 0;
SEC("raw_tp/a") int a(void *context) { total += ${step} * factor; return total; }
SEC("?raw_tp/b") int b(void *context) { total += 100; return total; }
`;
const kernelTypes = readArtifact("wasm/kernel_types.bpf.o");
const runtime = await loadRuntimeModule();

/** What the program returns, run twice, in a machine of its own where other maps lie before. */
async function run(
  object: Uint8Array,
  { engine = "aot", mode, factor = 1, before = 0, programs = ["a"] }: Partial<Opening> = {},
): Promise<number[]> {
  const backend = await createWasmBackend({
    runtime,
    kernelTypes,
    engine,
    ...(mode === undefined ? {} : { mode }),
  });
  try {
    const spec = { keySize: 4, valueSize: 8, maxEntries: 1000, flags: 0, type: MAP_TYPE.array };
    for (let i = 0; i < before; i++) backend.createMap({ ...spec, name: `m${i}` });
    const opened = backend.open(object, { programs, constants: { factor } });
    opened.load();
    const program = opened.programs.get(programs[0]!)!;
    const context = new Uint8Array(8);
    return [program.run(context), program.run(context)].map(({ returnValue }) => returnValue);
  } finally {
    backend.close();
  }
}

interface Opening {
  readonly engine: string;
  readonly mode: (typeof MODES)[number];
  readonly factor: number;
  readonly before: number;
  readonly programs: string[];
}

const OBJECT = compileBpf(source(3));

it("wherever their maps lie, whatever their constants, in every mode", async () => {
  for (const before of [0, 3, 0, 1]) {
    for (const factor of [1, 7]) {
      expect(await run(OBJECT, { before, factor })).toEqual([3 * factor, 6 * factor]);
    }
  }
  for (const mode of MODES) expect(await run(OBJECT, { mode })).toEqual([3, 6]);
  expect(await run(OBJECT, { engine: "ubpf" })).toEqual([3, 6]);
  expect(await run(OBJECT, { programs: ["b"] })).toEqual([100, 200]);
});

it("other code of the same name is other code", async () => {
  expect(await run(compileBpf(source(5)))).toEqual([5, 10]);
  const changed = OBJECT.slice();
  expect(await run(changed)).toEqual([3, 6]);
  // The same memory, with the step of the other object.
  changed.set(compileBpf(source(4)).subarray(0, changed.length));
  expect(await run(changed)).toEqual([4, 8]);
});

it("what one's constants rule out is not ruled out for the next", async () => {
  const guarded = compileBpf(`#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
const volatile unsigned int factor = 1;
static long (*nobody)(void) = (void *)9999;
SEC("raw_tp/a") int a(void *context) { return factor == 2 ? nobody() : factor; }
`);
  for (const factor of [1, 2, 3, 2, 1]) {
    const ran = run(guarded, { factor });
    if (factor === 2) await expect(ran).rejects.toThrow(/9999/);
    else expect(await ran).toEqual([factor, factor]);
  }
});

it("equal requests get the same programs", () => {
  const spec = parseOnce(OBJECT, "o");
  expect(parseOnce(OBJECT.slice(), "o")).toBe(spec);
  expect(parseOnce(OBJECT, "p")).not.toBe(spec);
  const { btf } = spec;
  expect(linkOnce(spec, btf, undefined)).toBe(linkOnce(spec, btf, undefined));
  expect(linkOnce(spec, btf, ["b"]).map(({ name }) => name)).toEqual(["b"]);
  expect(linkOnce(spec, btf, undefined).map(({ name }) => name)).toEqual(["a"]);
});
