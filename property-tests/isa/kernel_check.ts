/**
 * Asks the running kernel whether it agrees with the conformance cases: what is expected to run gives
 * the expected r0, what must be refused is refused. Every case runs twice: as it stands, where the
 * verifier knows most values (and evaluates them itself), and with its constants made opaque, so that
 * the machine code of the JIT computes everything.
 *
 *   node property-tests/isa/kernel_check.ts [FOLDER]
 *
 * Prints every disagreement and a summary; exit code 1 where there is one. Needs root, Linux 6.15.
 */

import { readCases } from "#property-tests/isa/case_file.ts";
import { CASES_FOLDER } from "#property-tests/isa/generate_cases.ts";
import {
  missingRegisters,
  PLAIN_FORMS,
  unknownOpcodes,
  unusedFieldsSet,
  validProgram,
} from "#property-tests/isa/invalid_instructions.ts";
import { describeAnswer, Kernel, type KernelAnswer } from "#property-tests/isa/kernel.ts";
import { hideConstants } from "#property-tests/isa/opaque_constants.ts";

interface Check {
  readonly name: string;
  readonly program: Uint8Array;
  readonly memory: Uint8Array;
  /** r0, `any`, or undefined where the kernel must refuse the program. */
  readonly r0: bigint | "any" | undefined;
}

const counts = { ran: 0, ranOpaque: 0, refused: 0, opaqueRefused: 0, disagreed: 0 };

async function check(kernel: Kernel, one: Check): Promise<void> {
  const answer = await kernel.run(one.program, one.memory);
  if (!agrees(one, answer)) disagree(one.name, one, answer);
  else if (one.r0 === undefined) counts.refused++;
  else counts.ran++;
  if (typeof one.r0 === "bigint") await checkOpaque(kernel, one);
}

/** The verifier may refuse here what needs a known number, an offset or the bound of a loop. */
async function checkOpaque(kernel: Kernel, one: Check): Promise<void> {
  const { program, constants } = hideConstants(one.program);
  if (constants.length === 0) return;
  const answer = await kernel.run(program, one.memory, constants);
  if (agrees(one, answer)) counts.ranOpaque++;
  else if (answer.kind === "refused") counts.opaqueRefused++;
  else disagree(`${one.name} with opaque constants`, one, answer);
}

function agrees({ r0 }: Check, answer: KernelAnswer): boolean {
  if (answer.kind === "refused") return r0 === undefined;
  return r0 === "any" || (r0 !== undefined && answer.r0 === BigInt.asUintN(answer.bits, r0));
}

function disagree(name: string, { r0 }: Check, answer: KernelAnswer): void {
  counts.disagreed++;
  const expected = r0 === undefined ? "to be refused" : `r0 = 0x${r0.toString(16)}`;
  console.log(`${name}: expected ${expected}, the kernel: ${describeAnswer(answer)}`);
}

function* checks(folder: string): Generator<Check> {
  for (const { name, program, memory, expected, kernelDiffers } of readCases(folder)) {
    const differs = kernelDiffers !== undefined;
    const r0 = "r0" in expected ? (differs ? undefined : expected.r0) : differs ? "any" : undefined;
    yield { name, program, memory, r0 };
  }
  const memory = new Uint8Array();
  const spoiled = [...unusedFieldsSet(), ...unknownOpcodes(), ...missingRegisters()];
  for (const { name, program } of spoiled) {
    // Linux does not look at the offset of exit.
    yield { name, program, memory, r0: name.startsWith("exit: offset") ? "any" : undefined };
  }
  for (const form of PLAIN_FORMS) {
    const r0 = form.group === "callx" ? undefined : "any";
    yield { name: `valid ${form.name}`, program: validProgram(form), memory, r0 };
  }
}

const kernel = new Kernel();
for (const one of checks(process.argv[2] ?? CASES_FOLDER)) await check(kernel, one);
kernel.close();
console.log(
  `${counts.ran} programs ran as expected, ${counts.ranOpaque} also with opaque constants ` +
    `(${counts.opaqueRefused} are refused so), ${counts.refused} are refused as expected; ` +
    `${counts.disagreed} disagreements`,
);
process.exitCode = counts.disagreed === 0 ? 0 : 1;
