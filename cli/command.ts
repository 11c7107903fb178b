/** What a command is, and what it gets. */
import type { ParseArgsOptionsConfig } from "node:util";

export type OutputFormat = "json" | "table";

export interface CommandInput {
  /** Values of the command's own options, by name. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
  readonly output: OutputFormat;
}

export interface Command {
  /** Words that select it (`["trace", "import"]`). */
  readonly words: readonly string[];
  readonly summary: string;
  /** Everything after the words, for the usage line. */
  readonly usage: string;
  readonly options: ParseArgsOptionsConfig;
  /** Number of positional arguments that must follow: least and most. */
  readonly positionals: readonly [number, number];
  /** Resolves to the exit code. */
  run(input: CommandInput): Promise<number>;
}
