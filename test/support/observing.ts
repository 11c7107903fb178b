/** A made-up collector of one program, for tests of how programs attach. */
import { COLLECTORS, type CollectorSpec, type HookSpec } from "#core/events/collectors.ts";

export function observing(...hooks: readonly HookSpec[]): CollectorSpec {
  const programs = [{ name: "reads", index: "", hooks }];
  return { ...COLLECTORS.get("syscall")!, name: "test", object: "hooks", programs };
}
