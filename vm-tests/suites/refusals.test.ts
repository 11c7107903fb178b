/** What a kernel may refuse that the one under these tests does not: one line with the remedy. */
import { expect, test } from "vitest";
import { initLayer, nodeLayer, projectLayer } from "#vm-tests/harness/guest_layers.ts";
import { kernelNamed } from "#vm-tests/harness/kernels.ts";
import { fetchImage } from "#vm-tests/harness/packages.ts";
import { runInGuest } from "#vm-tests/harness/qemu.ts";

const kernel = kernelNamed(process.env["TAPIO_VM_KERNEL"] ?? "6.12");
const COMMAND = "/bin/node /tapio/cli/main.ts run --backend kernel --collector tcp --duration 1";

/** What the command says, after it ended with exit code 1. */
async function refusal(
  name: string,
  parameters: readonly string[],
  mode: "run" | "limited",
): Promise<string[]> {
  const { ending, text, log } = await runInGuest(
    {
      image: fetchImage(kernel),
      initramfs: Buffer.concat([initLayer(), nodeLayer(), projectLayer()]),
      name: `${name}-${kernel.name}`,
      deadline_s: 300,
      memory_mib: 1536,
      oneThread: true,
      parameters,
    },
    COMMAND.split(" "),
    mode,
  );
  expect(ending, log).toEqual({ kind: "exited", code: 1 });
  return text.split(/\r?\n/).filter((line) => line.startsWith("tapio-bpf: "));
}

test(`Linux ${kernel.version}, locked down: the line says how to boot`, async () => {
  const lines = await refusal("lockdown", ["lockdown=confidentiality"], "run");
  expect(lines).toEqual([expect.stringMatching(/boot without lockdown=confidentiality$/)]);
});

// From 5.11 on maps are accounted to the memory cgroup, and there is no limit to be too low.
if (kernel.name === "5.10") {
  test(`Linux ${kernel.version}, little locked memory: the line says how to raise the limit`, async () => {
    const lines = await refusal("memlock", [], "limited");
    expect(lines).toEqual([expect.stringMatching(/EPERM.*ulimit -l unlimited/)]);
  });
}
