/** `--engine`: what executes BPF on the simulated machine. */
import { DEFAULT_ENGINE, ENGINES } from "#wasm/engines/engines.ts";
import { UsageError } from "./usage_error.ts";

/** Throws `UsageError` for a name that no engine has. */
export function engineOption(value: string | boolean | undefined): string {
  const name = value ?? DEFAULT_ENGINE;
  const engine = ENGINES.find((known) => known.name === name);
  if (engine !== undefined) return engine.name;
  const known = ENGINES.map((one) => one.name).join(", ");
  throw new UsageError(`--engine ${name}: the engines are ${known}`);
}
