/** The engines by name. */
import { BpfError } from "#core/errors.ts";
import { aotEngine } from "./aot/aot.ts";
import type { Engine } from "./engine.ts";
import { ubpfEngine } from "./ubpf/ubpf.ts";

export const ENGINES: readonly Engine[] = [aotEngine, ubpfEngine];
export const DEFAULT_ENGINE = aotEngine.name;

/** Throws `BpfError` for a name that no engine has. */
export function findEngine(name: string): Engine {
  const engine = ENGINES.find((candidate) => candidate.name === name);
  if (engine === undefined) {
    const known = ENGINES.map((candidate) => candidate.name).join(", ");
    throw new BpfError("choose engine", `there is no engine "${name}"`, { hint: `use ${known}` });
  }
  return engine;
}
