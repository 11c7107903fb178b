/** Whether an instance can run programs that were compiled for a mode. */
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { Mode } from "./engine.ts";

/** Throws `BpfError` where only one of both is paranoid: writes that nobody notes look like none. */
export function checkMode({ paranoid }: RuntimeInstance, program: string, mode: Mode): void {
  if (paranoid === (mode === "paranoid")) return;
  const problem = `it is compiled for mode ${mode}, the machine is ${paranoid ? "" : "not "}paranoid`;
  throw new BpfError(`load program ${program}`, problem, {
    errno: ERRNO.EINVAL,
    hint: "create both for the same mode",
  });
}
