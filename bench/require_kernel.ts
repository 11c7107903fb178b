import { BpfError } from "#core/errors.ts";
import { checkMachine } from "#kernel/probes.ts";

/** Throws `BpfError` in one line where this machine cannot load BPF. */
export function requireKernel(bench: string): void {
  const failed = checkMachine().find(({ ok }) => !ok);
  if (failed === undefined) return;
  throw new BpfError(bench, `it needs a kernel: ${failed.name}: ${failed.detail}`, {
    hint: "tapio-bpf doctor says what this machine lacks",
  });
}
