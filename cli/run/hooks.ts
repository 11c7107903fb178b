/** How the collectors' programs attach on this machine's kernel, and how to say so. */
import type { Config } from "#core/config/config.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { type ChosenHook, chooseHooks } from "#kernel/choose_hooks.ts";
import { readArtifact } from "../artifacts.ts";

/** Throws `BpfError` where a program has no hook that the kernel takes and `hooks` allows. */
export function hooksFor(
  backend: KernelBackend,
  collectors: readonly CollectorSpec[],
  { hooks }: Pick<Config, "hooks">,
): readonly ChosenHook[] {
  return collectors.flatMap((spec) =>
    chooseHooks(backend, readArtifact(`bpf/${spec.object}`), spec, hooks),
  );
}

/** One line: the hook, and why none of those before it (`"tp/a/b; not tp_btf/b: ..."`). */
export function describeHook({ hook, refused }: ChosenHook): string {
  const reasons = refused.map((other) => `not ${other.hook}: ${other.reason}`);
  return [hook, ...reasons].join("; ");
}
