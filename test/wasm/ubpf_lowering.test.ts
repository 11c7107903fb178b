import { beforeAll, describe, expect, it } from "vitest";
import { execute } from "#property-tests/isa/reference.ts";
import type { ResolvedReference } from "#wasm/engines/references.ts";
import { SITE } from "#wasm/engines/ubpf/sites.ts";
import { ubpfEngine } from "#wasm/engines/ubpf/ubpf.ts";
import { lower } from "#wasm/engines/ubpf/ubpf_lowering.ts";
import { createInstance, link, runText, useEngine } from "./program_fixture.ts";

const MAP: ResolvedReference = {
  address: 0x10000,
  named: {
    kind: "map",
    writable: true,
    valueBytes: 16,
    array: undefined,
    hash: undefined,
    ringPositions: 0,
  },
};
const READ_ONLY_MAP: ResolvedReference = {
  address: 0x10000,
  named: {
    kind: "map",
    writable: false,
    valueBytes: 0,
    array: undefined,
    hash: undefined,
    ringPositions: 0,
  },
};

/** Kinds of the sites of a lowered program, the one for leaving it left out. */
function siteKinds(
  text: string,
  references: readonly [number, ResolvedReference][] = [],
): number[] {
  return lower(link(text), new Map(references), [])
    .sites.slice(1)
    .map(({ kind }) => kind);
}

const lookup = (use: string): string => `
  stw [%r10-4], 0
  mov %r2, %r10
  add %r2, -4
  lddw %r1, 0
  call 1
  jeq %r0, 0, out
  ${use}
  out:
  mov %r0, 0
  exit`;

beforeAll(() => useEngine(ubpfEngine));

describe("checks of memory accesses", () => {
  it.each([
    ["the stack", "stdw [%r10-8], 1\nmov %r1, %r10\nldxdw %r0, [%r1-8]\nexit"],
    ["the context", "ldxdw %r0, [%r1+8]\nexit"],
    ["the context, by an index of 16 bits", "ldxh %r2, [%r1]\nadd %r1, %r2\nldxb %r0, [%r1]\nexit"],
    ["an atomic on the stack", "mov %r1, 1\nmov %r0, 0\nlock add [%r10-8], %r1\nexit"],
  ])("are left to uBPF for %s", (_name, text) => {
    expect(siteKinds(text)).toEqual([]);
  });

  it("are left to uBPF for writes and aligned atomics in values of writable maps", () => {
    const text = lookup("stw [%r0+4], 1\nmov %r1, 1\nlock add [%r0+8], %r1");
    expect(siteKinds(text, [[3, MAP]])).toEqual([SITE.HELPER]);
  });

  it.each([
    ["a write into a read-only map", lookup("stw [%r0+4], 1"), READ_ONLY_MAP, SITE.CHECK_STORE],
    ["a write beside a value", lookup("stw [%r0-4], 1"), MAP, SITE.CHECK_STORE],
    ["an atomic that is not aligned", lookup("lock add [%r0+4], %r1"), MAP, SITE.CHECK_ATOMIC],
    ["a pointer out of memory", lookup("ldxdw %r0, [%r0]\nldxb %r0, [%r0]"), MAP, SITE.CHECK_LOAD],
    [
      "a large index",
      lookup("ldxdw %r1, [%r0]\nadd %r0, %r1\nldxb %r0, [%r0]"),
      MAP,
      SITE.CHECK_LOAD,
    ],
  ])("are added for %s", (_name, text, map, kind) => {
    expect(siteKinds(text, [[3, map]])).toEqual([SITE.HELPER, kind]);
  });

  it("are added where a loop moves the pointer", () => {
    const text = "mov %r2, 9\nl:\nldxb %r0, [%r1]\nadd %r1, 1\nadd %r2, -1\njne %r2, 0, l\nexit";
    expect(siteKinds(text)).toEqual([SITE.LOOP, SITE.CHECK_LOAD]);
  });
});

describe("the map back to the program", () => {
  it("names the slot of every instruction and site", () => {
    const text = "mov %r0, -9\nsdiv %r0, 2\nl:\nadd %r0, 1\njne %r0, 0, l\nexit";
    const { code, slotOf, siteSlots, endSlot } = lower(link(text), new Map(), []);
    expect(slotOf).toHaveLength(code.length / 8);
    expect([...new Set(slotOf)]).toEqual([0, 1, 2, 3, 4]);
    expect([...siteSlots]).toEqual([0, 1, 2]);
    expect(endSlot).toBe(4);
  });
});

describe("size", () => {
  const filler = (count: number): string => "add %r0, 1\n".repeat(count);

  it("takes jumps over 32,767 instructions, not over more", async () => {
    const jump = (count: number): string => `mov %r0, 0\nja32 end\n${filler(count)}end:\nexit`;
    const instance = await createInstance();
    expect(runText(instance, jump(32_767))).toBe(0n);
    expect(() => lower(link(jump(32_768)), new Map(), [])).toThrow(/aot/);
  });

  it("takes 65,534 instructions with its own, not more", async () => {
    const own = 3; // the prologue
    const program = (count: number): string => `mov %r0, 0\n${filler(count - 2)}exit`;
    const instance = await createInstance();
    expect(runText(instance, program(65_534 - own))).toBe(BigInt(65_534 - own - 2));
    expect(() => lower(link(program(65_535 - own)), new Map(), [])).toThrow(/aot/);
  });
});

/** Registers hold different values; all but r10 go into the answer. */
const SET = [0, 2, 3, 4, 5, 6, 7, 8, 9]
  .map((n) => `lddw %r${n}, ${0x0123_4567_0000_0001n + BigInt(n) * 0x1111_0000_1235n}`)
  .join("\n");
const FOLD = `${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `mul %r0, 31\nxor %r0, %r${n}`).join("\n")}\nexit`;
const REGISTERS = Array.from({ length: 10 }, (_, register) => register);
const PAIRS = REGISTERS.flatMap((dst) => REGISTERS.map((src) => [dst, src] as const));

/** What engine and reference answer; memory is all zero but its first word. */
async function both(text: string): Promise<readonly [bigint, bigint]> {
  const memory = new Uint8Array(16).fill(0x55, 0, 8);
  const instance = await createInstance();
  const { code } = link(text);
  const [changed, expected] = [memory.slice(), memory.slice()];
  const answer = runText(instance, text, changed);
  const reference = execute(code, { memory: expected });
  expect(changed).toEqual(expected);
  return [answer, reference];
}

describe("private calls leave all other registers alone", () => {
  const context = "lddw %r1, 0x7edcba9876543210";

  it("in signed division, for every pair of registers", async () => {
    for (const operation of ["sdiv", "sdiv32", "smod", "smod32"]) {
      for (const [dst, src] of PAIRS) {
        const text = `${SET}\n${context}\n${operation} %r${dst}, %r${src}\n${FOLD}`;
        const [answer, expected] = await both(text);
        expect(answer, `${operation} r${dst}, r${src}`).toBe(expected);
      }
    }
  }, 120_000);

  it("in compare-and-exchange, for every pair of registers", async () => {
    for (const [dst, src] of PAIRS) {
      if (dst === 0 || dst === src) continue;
      const pointer = `mov %r${dst}, %r1\n${dst === 1 ? "" : `mov %r1, 77`}`;
      for (const r0 of ["lddw %r0, 0x5555555555555555", "mov %r0, 5"]) {
        const use = `lock cmpxchg [%r${dst}], %r${src}`;
        const hide = `mov %r${dst}, 78`;
        const text = `${SET}\n${pointer}\n${r0}\n${use}\n${hide}\n${FOLD}`;
        const [answer, expected] = await both(text);
        expect(answer, `cmpxchg r${dst}, r${src}`).toBe(expected);
      }
    }
  }, 120_000);

  it("in loops, whatever is live", async () => {
    for (const dead of [[], [9], [6, 7, 8, 9], [2, 3, 4, 5]]) {
      const after = dead.map((n) => `mov %r${n}, ${n}`).join("\n");
      const round = "add %r0, 7\nadd %r1, -1\njne %r1, 0, l";
      const text = `${SET}\nmov %r1, 5\nl:\n${round}\n${after}\n${FOLD}`;
      const [answer, expected] = await both(text);
      expect(answer).toBe(expected);
    }
  });

  it("in functions that use all their arguments", async () => {
    const text = `${SET}\nmov %r1, 1\ncall local f\n${[1, 2, 3, 4, 5]
      .map((n) => `mov %r${n}, 0`)
      .join(
        "\n",
      )}\n${FOLD}\nf:\nmov %r0, 0\nmov %r6, 1\nmov %r7, 1\nmov %r8, 1\nmov %r9, 1\n${FOLD}`;
    const [answer, expected] = await both(text);
    expect(answer).toBe(expected);
  });
});
