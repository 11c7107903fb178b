/**
 * Random eBPF programs that are valid, end, and would pass the kernel's verifier: every operation on
 * initialised registers, branches forward, bounded loops, loads, stores and atomics on the stack and in
 * memory, local calls. The answer depends on all registers and all memory that the program used.
 */

import fc from "fast-check";
import { mapStatement } from "#property-tests/arbitraries/program_maps.ts";
import {
  DATA_WORDS,
  functionText,
  MEMORY_WORDS,
  type ProgramFunction,
  reachableFunctions,
  SET_ARGUMENTS,
  type Statement,
} from "#property-tests/arbitraries/program_text.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { SIZES } from "#property-tests/isa/sizes.ts";

export interface RandomProgram {
  /** What r1 points to. */
  readonly memory: Uint8Array;
  /** The entry first; the others are called. */
  readonly functions: readonly ProgramFunction[];
}

export function programText({ functions }: RandomProgram): string {
  return reachableFunctions(functions)
    .map((index) => functionText(functions, index))
    .join("\n");
}

export function programBytes(program: RandomProgram): Uint8Array {
  return assemble(programText(program));
}

/** Values at which widths and signs change, their neighbours, and any. */
const value64: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc
    .tuple(fc.constantFrom(0n, 7n, 8n, 15n, 16n, 31n, 32n, 63n, 64n), fc.bigInt(-2n, 2n))
    .map(([bit, delta]) => BigInt.asUintN(64, 2n ** bit + delta)),
  fc.bigInt(-4n, 4n).map((small) => BigInt.asUintN(64, small)),
);

const value32: fc.Arbitrary<number> = value64.map((value) => Number(BigInt.asIntN(32, value)));

const register = fc.integer({ min: 0, max: 9 }).map((number) => `%r${number}`);
const width = fc.constantFrom("", "32");

/** A register or an immediate. */
const operand: fc.Arbitrary<string> = fc.oneof(register, value32.map(String));

const line = (text: string): Statement => ({ kind: "lines", lines: [text] });

const binary = fc
  .tuple(fc.constantFrom("add", "sub", "mul", "or", "and", "xor", "mov"), width, register, operand)
  .map(([name, bits, dst, src]) => line(`${name}${bits} ${dst}, ${src}`));

/** Linux refuses an immediate divisor of zero. */
const division = fc
  .tuple(
    fc.constantFrom("div", "mod", "sdiv", "smod"),
    width,
    register,
    fc.oneof(register, value32.filter((value) => value !== 0).map(String)),
  )
  .map(([name, bits, dst, src]) => line(`${name}${bits} ${dst}, ${src}`));

/** Linux refuses an immediate count beyond the width. */
const shift = fc
  .tuple(
    fc.constantFrom("lsh", "rsh", "arsh"),
    width,
    register,
    fc.oneof(register, fc.nat({ max: 63 })),
  )
  .map(([name, bits, dst, count]) => {
    const src = typeof count === "number" ? count % (bits === "32" ? 32 : 64) : count;
    return line(`${name}${bits} ${dst}, ${src}`);
  });

const unary = fc
  .tuple(
    fc
      .constantFrom("neg", "neg32", "le16", "le32", "le64", "be16", "be32", "be64")
      .chain((name) => fc.constantFrom(name, name.replace(/^[bl]e/, "bswap"))),
    register,
  )
  .map(([name, dst]) => line(`${name} ${dst}`));

const signExtension = fc
  .tuple(fc.constantFrom("832", "1632", "864", "1664", "3264"), register, register)
  .map(([widths, dst, src]) => line(`movsx${widths} ${dst}, ${src}`));

const constant = fc
  .tuple(register, value64)
  .map(([dst, value]) => line(`lddw ${dst}, 0x${value.toString(16)}`));

/** An aligned place in the stack's data: 1, 2, 4 or 8 bytes. */
const stackPlace = (bytes: number) =>
  fc.nat({ max: (DATA_WORDS * 8) / bytes - 1 }).map((index) => `[%r10-${(index + 1) * bytes}]`);

const size = fc.constantFrom(...SIZES);

const stackAccess = size.chain(([suffix, bytes]) =>
  fc
    .record({ at: stackPlace(bytes), register, value: value32, choice: fc.nat({ max: 5 }) })
    .map(({ at, register, value, choice }) => {
      const signed = suffix === "dw" ? `ldx${suffix}` : `ldxs${suffix}`;
      const texts = [
        `ldx${suffix} ${register}, ${at}`,
        `stx${suffix} ${at}, ${register}`,
        `st${suffix} ${at}, ${value}`,
        `${signed} ${register}, ${at}`,
        `load_acquire${bytes * 8} ${register}, ${at}`,
        `store_release${bytes * 8} ${at}, ${register}`,
      ];
      return line(texts[choice]!);
    }),
);

const ATOMICS = ["add", "or", "and", "xor"].flatMap((name) => [name, `fetch ${name}`]);

const atomic = fc
  .tuple(fc.constantFrom(...ATOMICS, "xchg", "cmpxchg"), width, register)
  .chain(([name, bits, src]) =>
    stackPlace(bits === "32" ? 4 : 8).map((at) => line(`lock ${name}${bits} ${at}, ${src}`)),
  );

/** At any alignment. r5 holds the pointer and is a number again afterwards. */
const memoryAccess: fc.Arbitrary<Statement> = size.chain(([suffix, bytes]) =>
  fc
    .tuple(
      fc.nat({ max: MEMORY_WORDS * 8 - bytes }),
      register,
      value32,
      fc.constantFrom("load", "loadSigned", "store", "storeImmediate"),
    )
    .map(([at, register, value, choice]) => {
      const texts = {
        load: `ldx${suffix} ${register}, [%r5+${at}]`,
        loadSigned: `ldx${suffix === "dw" ? "" : "s"}${suffix} ${register}, [%r5+${at}]`,
        store: `stx${suffix} [%r5+${at}], ${register === "%r5" ? "%r0" : register}`,
        storeImmediate: `st${suffix} [%r5+${at}], ${value}`,
      };
      return { kind: "memory" as const, lines: [texts[choice]] };
    }),
);

const CONDITIONS = "jeq jne jset jgt jge jlt jle jsgt jsge jslt jsle"
  .split(" ")
  .flatMap((name) => [name, `${name}32`]);

/** A comparison of anything, of small numbers, or of a register with its copy. */
const comparison = fc
  .record({
    name: fc.constantFrom(...CONDITIONS),
    left: register,
    right: operand,
    other: register,
    small: fc.nat({ max: 3 }),
    kind: fc.constantFrom("any", "registers", "registers", "small", "copy"),
  })
  .map(({ name, left, right, other, small, kind }) => {
    if (kind === "any") return { before: [], condition: `${name} ${left}, ${right}` };
    if (kind === "registers") return { before: [], condition: `${name} ${left}, ${other}` };
    if (kind === "copy") {
      return { before: [`mov ${left}, ${other}`], condition: `${name} ${left}, ${other}` };
    }
    return { before: [`and ${left}, 3`], condition: `${name} ${left}, ${small}` };
  });

/** What a helper answers is not compared, only that it leaves r6 to r9 and the stack alone. */
const helperCall: fc.Arbitrary<Statement> = fc.constantFrom(5, 7, 8).map((helper) => ({
  kind: "lines" as const,
  lines: [`call helper ${helper}`, "mov %r0, %r6", ...SET_ARGUMENTS],
}));

const plain: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 4, arbitrary: binary },
  { weight: 2, arbitrary: division },
  { weight: 2, arbitrary: shift },
  { weight: 1, arbitrary: unary },
  { weight: 1, arbitrary: signExtension },
  { weight: 1, arbitrary: constant },
  { weight: 3, arbitrary: stackAccess },
  { weight: 2, arbitrary: atomic },
  { weight: 2, arbitrary: memoryAccess },
  { weight: 1, arbitrary: helperCall },
);

const call: fc.Arbitrary<Statement> = fc
  .nat({ max: 2 })
  .map((callee) => ({ kind: "call" as const, callee }));

const branch = (body: fc.Arbitrary<readonly Statement[]>): fc.Arbitrary<Statement> =>
  fc
    .record({ comparison, taken: body, notTaken: body, far: fc.boolean() })
    .map(({ comparison, ...fields }) => ({ kind: "branch" as const, ...comparison, ...fields }));

function loopOf(lines: fc.Arbitrary<readonly Statement[]>): fc.Arbitrary<Statement> {
  return fc
    .record({
      rounds: fc.integer({ min: 1, max: 6 }),
      body: fc.tuple(lines, fc.option(branch(lines)), fc.option(call), lines),
    })
    .map(({ rounds, body: [before, inner, callee, after] }) => {
      const middle = [inner, callee].filter((statement) => statement !== null);
      return { kind: "loop" as const, rounds, body: [...before, ...middle, ...after] };
    });
}

/** How many statements a program has at most, in its parts. */
interface Sizes {
  readonly start: number;
  readonly structured: number;
  readonly lines: number;
  readonly callee: number;
}

function programsOf(plain: fc.Arbitrary<Statement>, sizes: Sizes): fc.Arbitrary<RandomProgram> {
  /** Straight lines, in which nothing multiplies what a verifier has to follow. */
  const lines = fc.array(plain, { maxLength: sizes.lines });
  const start = fc.oneof({ weight: 12, arbitrary: plain }, { weight: 4, arbitrary: branch(lines) });
  const calling = branch(fc.array(fc.oneof(plain, call), { maxLength: 4 }));
  const body: fc.Arbitrary<readonly Statement[]> = fc
    .tuple(
      fc.array(start, { maxLength: sizes.start }),
      fc.array(fc.oneof(loopOf(lines), call, calling), { maxLength: sizes.structured }),
      lines,
    )
    .map((parts) => parts.flat());
  return fc
    .record({
      words: fc.array(value64, { minLength: MEMORY_WORDS, maxLength: MEMORY_WORDS }),
      entry: body,
      callees: fc.array(fc.array(plain, { maxLength: sizes.callee }), { maxLength: 3 }),
      nested: fc.boolean(),
    })
    .map(({ words, entry, callees, nested }) => {
      const last: Statement = { kind: "call", callee: 0 };
      const functions = [
        { body: entry },
        ...callees.map((statements) => ({ body: nested ? [...statements, last] : statements })),
      ];
      const program = { memory: new Uint8Array(BigUint64Array.from(words).buffer), functions };
      return Object.assign(program, { [fc.toStringMethod]: () => printProgram(program) });
    });
}

/** Programs of about 50 to 300 instructions. They shrink to fewer and simpler statements. */
export const randomProgram: fc.Arbitrary<RandomProgram> = programsOf(plain, {
  start: 24,
  structured: 3,
  lines: 6,
  callee: 12,
});

/**
 * Smaller ones, of which many can be run, that also use the maps of `PROGRAM_MAPS`. No kernel and no
 * reference knows those: for engines against each other.
 */
export const randomMapProgram: fc.Arbitrary<RandomProgram> = programsOf(
  fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: mapStatement }),
  { start: 6, structured: 2, lines: 2, callee: 4 },
);

function printProgram(program: RandomProgram): string {
  const memory = [...program.memory].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return `\n-- mem\n${memory}\n-- asm\n${programText(program)}\n`;
}
