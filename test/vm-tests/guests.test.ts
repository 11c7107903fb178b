/** The harness must not take a guest that went wrong for one that went well. Boots tiny guests. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { problemOf } from "#vm-tests/harness/console.ts";
import { GuestKernel } from "#vm-tests/harness/guest_kernel.ts";
import { buildStatic, initLayer, serverLayer } from "#vm-tests/harness/guest_layers.ts";
import { archive } from "#vm-tests/harness/initramfs.ts";
import { pinnedKernels } from "#vm-tests/harness/kernels.ts";
import { cachedImage } from "#vm-tests/harness/packages.ts";
import { runInGuest, startServing } from "#vm-tests/harness/qemu.ts";
import { findExecutable } from "../../scripts/install_tools.ts";

/** Long enough for a boot on most machines. */
const HANG_S = 10;

const images = pinnedKernels().flatMap((kernel) => cachedImage(kernel) ?? []);
const image = images.at(-1);

function refusal(): string | undefined {
  if (findExecutable("qemu-system-x86_64") === undefined) return "qemu-system-x86_64 is missing";
  return image === undefined ? "no kernel is fetched; npm run test:vm fetches them" : undefined;
}

async function misbehave(name: string, ...how: string[]) {
  const built = buildStatic("misbehave", ["vm-tests/guest/misbehave.c"]);
  const layer = archive([{ path: "/bin/misbehave", content: readFileSync(built) }]);
  const initramfs = Buffer.concat([initLayer(), layer]);
  const options = { image: image!, initramfs, name: `harness-${name}` };
  const deadline_s = name === "hang" ? HANG_S : 60;
  const program = ["/bin/misbehave", ...how];
  return runInGuest({ ...options, deadline_s }, { mode: "run", program });
}

const problem = refusal();
if (problem !== undefined) {
  test.skip(`guests: ${problem}`);
} else {
  describe("a guest", () => {
    test("that exits with 0 is fine", async () => {
      const { ending } = await misbehave("exit-0", "exit", "0");
      expect(ending).toEqual({ kind: "exited", code: 0 });
      expect(problemOf(ending)).toBeUndefined();
    });

    test("that exits with 7 is a failure with its code", async () => {
      const { ending } = await misbehave("exit-7", "exit", "7");
      expect(problemOf(ending)).toBe("the guest ended with exit code 7");
    });

    test("whose kernel panics is a failure with the kernel's first complaint", async () => {
      const { ending } = await misbehave("panic", "panic");
      expect(ending).toEqual({ kind: "splat", line: expect.stringContaining("panic") });
    });

    test("that hangs is stopped at its deadline", async () => {
      const { ending } = await misbehave("hang", "hang");
      expect(ending).toEqual({ kind: "deadline", waited_s: HANG_S });
    });

    test("that stops without a word is a failure", async () => {
      const { ending } = await misbehave("silent", "silent");
      expect(problemOf(ending)).toBe("the guest stopped without saying how it went");
    });

    test("that breaks off while a request waits ends the wait, and says why", async () => {
      const options = { image: image!, initramfs: serverLayer(), name: "harness-broken" };
      const kernel = new GuestKernel(await startServing({ ...options, deadline_s: 60 }));
      // Operation 0 does not exist: the kernel process ends.
      expect(() => kernel.ask(new Uint8Array(4))).toThrow(/ended before it answered; console: /);
      await expect(kernel.end()).rejects.toThrow("exit code 1");
    });
  });
}
