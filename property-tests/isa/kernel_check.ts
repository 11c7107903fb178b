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

import { type IsaCase, readCases } from "#property-tests/isa/case_file.ts";
import { CASES_FOLDER } from "#property-tests/isa/generate_cases.ts";
import { Kernel, type KernelAnswer } from "#property-tests/isa/kernel.ts";
import { hideConstants } from "#property-tests/isa/opaque_constants.ts";

const counts = { agreed: 0, agreedOpaque: 0, refusedAsExpected: 0, disagreed: 0, opaqueRefused: 0 };

async function check(kernel: Kernel, isaCase: IsaCase): Promise<void> {
  const answer = await kernel.run(isaCase.program, isaCase.memory);
  const mustRefuse = "error" in isaCase.expected || isaCase.kernelRejects !== undefined;
  if (mustRefuse && answer.kind === "refused") counts.refusedAsExpected++;
  else if (!mustRefuse && isExpected(isaCase, answer)) counts.agreed++;
  else disagree(isaCase, "", answer);
  if (!mustRefuse) await checkOpaque(kernel, isaCase);
}

async function checkOpaque(kernel: Kernel, isaCase: IsaCase): Promise<void> {
  const { program, constants } = hideConstants(isaCase.program);
  if (constants.length === 0) return;
  const answer = await kernel.run(program, isaCase.memory, constants);
  if (isExpected(isaCase, answer)) counts.agreedOpaque++;
  else if (answer.kind === "refused") counts.opaqueRefused++;
  else disagree(isaCase, " with opaque constants", answer);
}

function isExpected(isaCase: IsaCase, answer: KernelAnswer): boolean {
  return answer.kind === "ran" && "r0" in isaCase.expected && answer.r0 === isaCase.expected.r0;
}

function disagree(isaCase: IsaCase, how: string, answer: KernelAnswer): void {
  counts.disagreed++;
  const expected = "r0" in isaCase.expected ? `r0 = ${isaCase.expected.r0}` : "to be refused";
  const got =
    answer.kind === "ran" ? `r0 = ${answer.r0}` : `refused (${answer.errno}): ${answer.log}`;
  console.log(`${isaCase.name}${how}: expected ${expected}, the kernel says ${got}`);
}

const kernel = new Kernel();
const folder = process.argv[2] ?? CASES_FOLDER;
for (const isaCase of readCases(folder)) await check(kernel, isaCase);
kernel.close();
console.log(
  `${counts.agreed} cases agree, ${counts.agreedOpaque} also with opaque constants ` +
    `(${counts.opaqueRefused} refused so), ${counts.refusedAsExpected} refused as expected, ` +
    `${counts.disagreed} disagreements`,
);
process.exitCode = counts.disagreed === 0 ? 0 : 1;
