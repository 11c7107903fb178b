/** `record` in a guest under real TCP traffic, replayed here: the same events. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { problemOf } from "#vm-tests/harness/console.ts";
import { initLayer, nodeLayer, projectLayer } from "#vm-tests/harness/guest_layers.ts";
import { kernelNamed } from "#vm-tests/harness/kernels.ts";
import { fetchImage } from "#vm-tests/harness/packages.ts";
import { runInGuest } from "#vm-tests/harness/qemu.ts";
import { expectSameEvents } from "./recorded_traffic.ts";

const kernel = kernelNamed(process.env["TAPIO_VM_KERNEL"] ?? "6.12");

test(`Linux ${kernel.version}: recorded traffic replays to the events that were seen live`, async () => {
  const initramfs = Buffer.concat([initLayer(), nodeLayer(), projectLayer()]);
  const { ending, text, log } = await runInGuest(
    {
      image: fetchImage(kernel),
      initramfs,
      name: `record-${kernel.name}`,
      deadline_s: 300,
      memory_mib: 1536,
      oneThread: true,
    },
    ["/bin/node", "/tapio/vm-tests/guest/record_traffic.ts", "/tmp", "60"],
  );
  expect(problemOf(ending), log).toBeUndefined();
  const folder = mkdtempSync(join(tmpdir(), "tapio-record-"));
  try {
    for (const [, name, base64] of text.matchAll(/^file (\S+) (\S+)\r?$/gm)) {
      writeFileSync(join(folder, name!), gunzipSync(Buffer.from(base64!, "base64")));
    }
    const [, ...ports] = /^ports (\d+) (\d+)/m.exec(text) ?? [];
    expectSameEvents(folder, ports.map(Number));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
