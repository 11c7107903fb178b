/** Random bare programs, straight and branching, on a real kernel and on every engine. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  programText,
  type RandomProgram,
  randomProgram,
} from "#property-tests/arbitraries/programs.ts";
import { assemble } from "#property-tests/isa/assembler.ts";
import { describeAnswer } from "#property-tests/isa/kernel.ts";
import { ResidentMachine } from "#property-tests/isa/resident_machine.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import { checkAsyncProperty } from "#property-tests/property.ts";
import { ENGINES } from "#wasm/engines/engines.ts";
import { closePair, type DifferentialOptions, type MakePair, type Pair } from "./differential.ts";
import { timeLimits } from "./options.ts";

/** The verifier gave up following all paths: no statement about the program. */
const TOO_COMPLEX = /too large|too complex/;
/** At most this part of the programs may be too complex, or the suite shows nothing. */
const TOO_COMPLEX_SHARE_MAX = 0.05;

export function differentialPrograms(
  makePair: MakePair,
  options: DifferentialOptions,
  features: KernelFeatures,
): void {
  describe(`programs on ${options.label} and on the engines`, timeLimits(), () => {
    let pair: Pair | undefined;
    let machines: readonly (readonly [string, ResidentMachine])[] = [];
    beforeAll(async () => {
      pair = await makePair();
      machines = await Promise.all(
        ENGINES.map(async (engine) => [engine.name, await ResidentMachine.create(engine)] as const),
      );
    });
    afterAll(() => closePair(pair));

    test("random programs answer alike", async () => {
      let checked = 0;
      let tooComplex = 0;
      const property = fc.asyncProperty(randomProgram, async (random) => {
        const program = assemble(understoodBy(features, programText(random)));
        const answer = await pair!.real.runBare(program, random.memory);
        checked++;
        if (answer.kind === "refused" && TOO_COMPLEX.test(answer.log)) tooComplex++;
        else
          compare(random, describeAnswer(answer), (name) => {
            const r0 = machineNamed(machines, name).run(program, random.memory);
            const bits = answer.kind === "ran" ? answer.bits : 64;
            return describeAnswer({ kind: "ran", bits, r0: BigInt.asUintN(bits, r0) });
          });
      });
      const runs = await checkAsyncProperty("differential programs", property, options.runs);
      options.compared?.("programs", runs);
      expect(tooComplex).toBeLessThanOrEqual(Math.ceil(TOO_COMPLEX_SHARE_MAX * checked));
    });
  });
}

function machineNamed(
  machines: readonly (readonly [string, ResidentMachine])[],
  name: string,
): ResidentMachine {
  return machines.find(([known]) => known === name)![1];
}

function compare(_: RandomProgram, real: string, simulate: (engine: string) => string): void {
  for (const { name } of ENGINES) {
    const simulated = simulate(name);
    if (simulated !== real) throw new Error(`the kernel: ${real}; ${name}: ${simulated}`);
  }
}

/** The program with what the kernel's instruction set lacks replaced by nothing or by older ones. */
export function understoodBy(features: KernelFeatures, text: string): string {
  return text
    .split("\n")
    .map((line) => (isUnderstood(features, line.trim()) ? line : olderThan(line)))
    .flatMap((line) => (EXCHANGE_32.test(line.trim()) ? [line, ZERO_EXTEND] : [line]))
    .join("\n");
}

/** `DIFFERENCES.exchangeUpperHalf`: what should be zero already is made zero. */
const EXCHANGE_32 = /^lock cmpxchg32 /;
const ZERO_EXTEND = "mov32 %r0, %r0";

const VERSION_4 = /^(sdiv|smod|movsx|ldxs|bswap|ja32 )/;
const NEW_ATOMICS = /^lock (?!add)/;
const ORDERED = /^(load_acquire|store_release)/;

function isUnderstood(features: KernelFeatures, line: string): boolean {
  if (VERSION_4.test(line)) return features.instructions4;
  if (NEW_ATOMICS.test(line)) return features.allAtomics;
  return !ORDERED.test(line) || features.orderedAccesses;
}

function olderThan(line: string): string {
  return line.includes("ja32 ") ? line.replace("ja32 ", "ja ") : "mov %r6, %r6";
}
