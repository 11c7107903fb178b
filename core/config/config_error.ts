/** A configuration that was refused, and where in it the fault lies. */
import { BpfError } from "../errors.ts";

/** Keys and list positions that lead to a value (`["filters", "rules", 2, "pid"]`). */
export type ConfigPath = readonly (string | number)[];

/** A path as people write it: `filters.rules[2].pid`. */
export function pathText(path: ConfigPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}

/**
 * A value that cannot be taken: what is wrong with it, where it stands, and what would do. What was
 * in force before stays in force. Whoever read the value from a file adds the line.
 */
export class ConfigError extends BpfError {
  readonly path: ConfigPath;
  readonly problem: string;

  constructor(path: ConfigPath, problem: string, hint?: string, cause?: unknown) {
    super(path.length === 0 ? "configuration" : pathText(path), problem, {
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
    this.name = "ConfigError";
    this.path = path;
    this.problem = problem;
  }

  /** The same refusal of a value that stands deeper: `prefix` leads to where `path` begins. */
  within(...prefix: ConfigPath): ConfigError {
    const hint = this.hint === "" ? undefined : this.hint;
    return new ConfigError([...prefix, ...this.path], this.problem, hint, this);
  }
}
