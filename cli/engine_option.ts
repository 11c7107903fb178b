/** `--engine` and `--mode`: what executes BPF on the simulated machine, and what it watches for. */
import { DEFAULT_MODE, MODES, type Mode } from "#wasm/engines/engine.ts";
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

/** Throws `UsageError` for a mode that does not exist, or that `engine` lacks. */
export function modeOption(value: string | boolean | undefined, engine: string): Mode {
  const mode = MODES.find((known) => known === (value ?? DEFAULT_MODE));
  if (mode === undefined)
    throw new UsageError(`--mode ${value}: the modes are ${MODES.join(", ")}`);
  if (engine === DEFAULT_ENGINE || mode === DEFAULT_MODE) return mode;
  throw new UsageError(`--mode ${mode}: the engine ${engine} has only ${DEFAULT_MODE}`);
}
