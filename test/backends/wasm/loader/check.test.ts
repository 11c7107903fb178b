import { describe, expect, it } from "vitest";
import { VerifierError } from "#core/errors.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { bareProgram } from "#wasm/bare_program.ts";
import { type CheckOptions, checkProgram } from "#wasm/loader/check.ts";
import { initialData } from "#wasm/loader/initial_data.ts";
import { Code } from "#wasm/loader/instructions.ts";
import { LIMITS } from "#wasm/loader/limits.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import { type LinkedProgram, POISON_HELPER } from "#wasm/loader/linked_program.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { CHECK_CASES } from "../../../support/check_cases.ts";
import { compileBpf } from "../../../support/clang.ts";

const HEADER = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
`;

function refusal(program: LinkedProgram, options?: CheckOptions): VerifierError | undefined {
  try {
    checkProgram(program, options);
  } catch (error) {
    if (error instanceof VerifierError) return error;
    throw error;
  }
  return undefined;
}

/** The first program of a C source, and what its data is. */
function compiled(
  source: string,
  constants = {},
): { program: LinkedProgram; options: CheckOptions } {
  const spec = parseObject(compileBpf(HEADER + source), "t");
  const readOnlyData = initialData(spec, { constants });
  return { program: linkPrograms(spec)[0]!, options: { readOnlyData } };
}

describe("checkProgram", () => {
  it.each(CHECK_CASES)("on $name", ({ assembly, refused }) => {
    const error = refusal(bareProgram(assemble(assembly)));
    if (refused === undefined) expect(error?.message).toBeUndefined();
    else expect(error?.message).toMatch(refused);
  });

  it("refuses an empty program", () => {
    const empty = { ...bareProgram(assemble("exit")), code: new Uint8Array(0), subprograms: [] };
    expect(refusal(empty)!.message).toBe("load program program: program is empty (EINVAL)");
  });

  it("takes a million instructions, not one more", () => {
    const count = LIMITS.instructions;
    const program = (slots: number) => {
      const code = new Uint8Array(slots * 8);
      for (let slot = 0; slot < slots; slot++) code[slot * 8] = 0xb7;
      code[(slots - 1) * 8] = 0x95;
      return bareProgram(code);
    };
    expect(refusal(program(count))).toBeUndefined();
    const error = refusal(program(count + 1))!;
    expect([error.code, error.message]).toEqual([
      "E2BIG",
      "load program program: 1000001 instructions, more than 1000000 (E2BIG)",
    ]);
  });

  it("names instruction, text and source line, and logs what led there", () => {
    const { program } = compiled(`SEC("tc") int f(void *context)
{
	asm volatile("*(u64 *)(r10 - 520) = r1");
	return 0;
}`);
    const error = refusal(program)!;
    expect(error.operation).toBe("load program f");
    expect(error.code).toBe("EACCES");
    expect(error.message).toMatch(
      /instruction 0 \(\*\(u64 \*\)\(r10 - 520\) = r1\) at .*:5: accesses 8 bytes of stack at -520/,
    );
    expect(error.log.split("\n").slice(0, 4)).toEqual([
      "function f:",
      '; asm volatile("*(u64 *)(r10 - 520) = r1");',
      "0: *(u64 *)(r10 - 520) = r1",
      "accesses 8 bytes of stack at -520, outside -512 to 0",
    ]);
  });

  it("passes every program of the test objects", () => {
    const target = parseObject(compileBpf("test/testdata/loader/core_kernel.c"), "k").btf;
    for (const name of ["relocations", "maps", "core"]) {
      const spec = parseObject(compileBpf(`test/testdata/loader/${name}.bpf.c`), "t");
      const options = { targetBtf: target, kernelFunctions: { present_function: 7 } };
      for (const program of linkPrograms(spec, options)) {
        expect(refusal(program)?.message).toBeUndefined();
      }
    }
  });
});

describe("helpers", () => {
  const source = `const volatile int mode = 0;
SEC("tc") int f(void *context) { return mode ? bpf_get_prandom_u32() : 0; }`;
  const none = { knowsHelper: () => false };

  it("are those that the caller knows", () => {
    const { program } = compiled(source);
    expect(refusal(program)).toBeUndefined();
    expect(refusal(program, none)!.message).toMatch(
      /\(call bpf_get_prandom_u32\) at .*: bpf_get_prandom_u32 \(helper 7\) does not exist here/,
    );
  });

  it("that a setting rules out need not exist", () => {
    const off = compiled(source);
    expect(refusal(off.program, { ...off.options, ...none })).toBeUndefined();
    const checked = checkProgram(off.program, { ...off.options, ...none });
    const reason = "bpf_get_prandom_u32 (helper 7) does not exist here";
    expect(checked.poisoned).toMatchObject([{ reason }]);
    const call = new Code(checked.code).at(checked.poisoned[0]!.slot);
    expect(call).toMatchObject({ opcode: 0x85, imm: POISON_HELPER });
    expect(checkProgram(off.program, off.options)).toBe(off.program);
    const on = compiled(source, { mode: 1 });
    expect(refusal(on.program, { ...on.options, ...none })!.message).toMatch(/helper 7/);
  });

  it("in the place of what could not be relocated pass: they fail only where they run", () => {
    const spec = parseObject(compileBpf("test/testdata/loader/core.bpf.c"), "t");
    const targetBtf = parseObject(compileBpf("test/testdata/loader/core_kernel.c"), "k").btf;
    const program = linkPrograms(spec, { targetBtf, programs: ["poison"] })[0]!;
    expect(program.poisoned.length).toBeGreaterThan(0);
    expect(refusal(program)).toBeUndefined();
    expect(refusal({ ...program, poisoned: [] })!.message).toMatch(/helper 195896080/);
  });
});

/** A local variable of so many bytes that is surely used. */
const local = (bytes: number) => `asm volatile("*(u64 *)(r10 - ${bytes}) = r10");`;

describe("callbacks", () => {
  it("count as calls", () => {
    const { program } = compiled(`static long step(__u32 i, void *c) { ${local(320)} return 0; }
SEC("tc") int f(void *context) { ${local(256)} return bpf_loop(1, step, 0, 0); }`);
    expect(refusal(program)!.message).toMatch(/f and what it calls use 576 bytes .*: f > step/);
  });

  it("of timers run on a stack of their own", () => {
    const { program } = compiled(`struct value { struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, int);
__type(value, struct value); } timers SEC(".maps");
static int expired(void *map, int *key, struct value *value) { ${local(320)} return 0; }
SEC("tc") int f(void *context)
{
	int key = 0;
	struct value *value = bpf_map_lookup_elem(&timers, &key);
	${local(256)}
	return value ? bpf_timer_set_callback(&value->timer, expired) : 0;
}`);
    expect(program.subprograms.map(({ name }) => name)).toEqual(["f", "expired"]);
    expect(refusal(program)).toBeUndefined();
  });
});

it("tail calls need callers with less than 256 bytes of stack", () => {
  const source = (bytes: number) => `struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
__uint(max_entries, 1); __uint(key_size, 4); __uint(value_size, 4); } jumps SEC(".maps");
static __attribute__((noinline)) int jump(void *c) { bpf_tail_call(c, &jumps, 0); return 1; }
SEC("tc") int f(void *context)
{ ${local(bytes)} return jump(context); }`;
  expect(refusal(compiled(source(224)).program)).toBeUndefined();
  expect(refusal(compiled(source(256)).program)!.message).toMatch(
    /jump makes tail calls while its callers use 256 bytes of stack/,
  );
});

it("an unresolved 64-bit load is refused", () => {
  const program = bareProgram(
    new Uint8Array(Buffer.from(`${"1811000001000000".padEnd(32, "0")}9500000000000000`, "hex")),
  );
  expect(refusal(program)!.message).toMatch(/has source 1, which the loader did not resolve/);
});
