/**
 * `npm run test:vm [-- --kernel NAME]... [--sequences N] [--runs N] [--update-pins]`: the suites of vm-tests/
 * on guests with Debian's kernels, one after another, closing with one line of counts. `--all` takes all
 * kernels; `--sequences` says how many inputs of each kind the kernel and the simulated one are compared on,
 * `--runs` replaces the budget of every property; `--update-pins` pins the newest packages instead.
 */
import { parseArgs } from "node:util";
import {
  kernelNamed,
  type PinnedKernel,
  pinnedKernels,
  writePin,
} from "#vm-tests/harness/kernels.ts";
import { fetchImage, newestPin } from "#vm-tests/harness/packages.ts";
import { findExecutable, installTools, TEST_TOOLS } from "../install_tools.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";
import { addCounts, DEFAULT_KERNELS, NO_COUNTS, testKernel } from "../vm_suites.ts";

const SEQUENCES = "1000";

function updatePins(kernels: readonly PinnedKernel[]): number {
  for (const kernel of kernels) {
    const newest = newestPin(kernel);
    const changed = newest.packageVersion !== kernel.packageVersion;
    if (changed) writePin(newest);
    console.log(
      `${kernel.name}: ${newest.package} ${newest.packageVersion}${changed ? "" : " (as before)"}`,
    );
  }
  return 0;
}

await runTask(async () => {
  const { values } = parseArgs({
    options: {
      kernel: { type: "string", multiple: true },
      all: { type: "boolean" },
      runs: { type: "string" },
      sequences: { type: "string" },
      "update-pins": { type: "boolean" },
    },
  });
  const everything = values.all || (values["update-pins"] && values.kernel === undefined);
  const kernels = everything
    ? pinnedKernels()
    : (values.kernel ?? DEFAULT_KERNELS).map(kernelNamed);
  if (values["update-pins"]) return updatePins(kernels);
  installTools(TEST_TOOLS);
  if (findExecutable("qemu-system-x86_64") === undefined) {
    throw new Error("qemu-system-x86_64 is missing; install the package qemu-system-x86");
  }
  await setup();
  for (const kernel of kernels) fetchImage(kernel);
  const { runs, sequences = runs ?? SEQUENCES } = values;
  const counts = kernels
    .map((kernel) => testKernel(kernel, { runs, sequences }))
    .reduce(addCounts, NO_COUNTS);
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
});
