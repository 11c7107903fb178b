/**
 * Random programs on the running kernel, against the reference interpreter; a disagreement is shrunk
 * on the kernel itself.
 *
 *   node property-tests/isa/kernel_random.ts [RUNS] [SEED]
 *
 * Prints the counterexample or a summary; exit code 1 where there is a disagreement. Needs root, Linux
 * 6.15.
 */

import fc from "fast-check";
import {
  programBytes,
  type RandomProgram,
  randomProgram,
} from "#property-tests/arbitraries/programs.ts";
import { REFERENCE } from "#property-tests/isa/executors.ts";
import { describeAnswer, Kernel } from "#property-tests/isa/kernel.ts";

const counts = { agreed: 0, tooComplex: 0 };

/** The verifier gave up following all paths: no statement about the program. */
function isTooComplex(log: string): boolean {
  return /too large|too complex/.test(log);
}

async function check(kernel: Kernel, random: RandomProgram): Promise<void> {
  const program = programBytes(random);
  const answer = await kernel.run(program, random.memory);
  if (answer.kind === "refused" && isTooComplex(answer.log)) {
    counts.tooComplex++;
    return;
  }
  const r0 = await REFERENCE.run(program, random.memory);
  if (answer.kind === "refused" || answer.r0 !== BigInt.asUintN(answer.bits, r0)) {
    const expected = `r0 = 0x${r0.toString(16)}`;
    throw new Error(`the reference says ${expected}, the kernel: ${describeAnswer(answer)}`);
  }
  counts.agreed++;
}

const [runs = "1000", seed] = process.argv.slice(2);
const kernel = new Kernel();
const property = fc.asyncProperty(randomProgram, (program) => check(kernel, program));
const details = await fc.check(property, {
  numRuns: Number(runs),
  ...(seed === undefined ? {} : { seed: Number(seed) }),
});
kernel.close();
if (details.failed) {
  console.log(fc.stringify(details.counterexample));
  console.log(String(details.errorInstance));
  process.exitCode = 1;
}
console.log(
  `seed ${details.seed}: ${counts.agreed} programs agree, ` +
    `${counts.tooComplex} too complex for the verifier, ${details.failed ? 1 : 0} disagreement`,
);
