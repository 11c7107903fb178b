/** Whether tests of the kernel backend can run on this machine, and their backend. */
import { describe, test } from "vitest";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { checkMachine } from "#kernel/probes.ts";

/** Why BPF cannot be used here, in one line; undefined where it can. */
export function nativeRefusal(): string | undefined {
  const failed = checkMachine().find(({ ok }) => !ok);
  return failed === undefined ? undefined : `${failed.name}: ${failed.detail}`;
}

/** `describe` for tests that need BPF; where it cannot be used, one skipped test says why. */
export function describeNative(name: string, body: () => void): void {
  const refusal = nativeRefusal();
  if (refusal === undefined) describe(name, body);
  else describe(name, () => test.skip(`needs the kernel: ${refusal}`, () => {}));
}

/** Runs `body` with a backend that is closed afterwards. */
export async function withBackend<Result>(
  body: (backend: KernelBackend) => Result | Promise<Result>,
): Promise<Result> {
  const backend = createKernelBackend();
  try {
    return await body(backend);
  } finally {
    backend.close();
  }
}
