/** The engines by name. */
import { BpfError } from "#core/errors.ts";
import { aotEngine, createAotEngine } from "./aot/aot.ts";
import { DEFAULT_MODE, type Engine, type Mode } from "./engine.ts";
import { ubpfEngine } from "./ubpf/ubpf.ts";

export const ENGINES: readonly Engine[] = [aotEngine, ubpfEngine];
export const DEFAULT_ENGINE = aotEngine.name;

/** Throws `BpfError` for a name that no engine has, and for a mode that it lacks. */
export function findEngine(name: string, mode: Mode = DEFAULT_MODE): Engine {
  const engine = ENGINES.find((candidate) => candidate.name === name);
  if (engine === undefined) {
    const known = ENGINES.map((candidate) => candidate.name).join(", ");
    throw new BpfError("choose engine", `there is no engine "${name}"`, { hint: `use ${known}` });
  }
  if (engine.mode === mode) return engine;
  if (engine.name === "aot") return createAotEngine(mode);
  throw new BpfError("choose engine", `${name} has no mode ${mode}`, {
    hint: `use the engine ${DEFAULT_ENGINE}, or mode ${engine.mode}`,
  });
}
