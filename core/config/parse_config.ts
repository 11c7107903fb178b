/**
 * A configuration file's text: YAML, checked against the schema. A fault is reported with its line, what
 * stands there and why it cannot stay; all faults of a file are found at once, the first one leads.
 */
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Config, configSchema } from "./config.ts";
import { ConfigError, type ConfigPath, pathText } from "./config_error.ts";

/** Larger files are refused unread: 100,000 rules take about 5 MB. */
export const CONFIG_BYTES_MAX = 32 * 1024 * 1024;

/** A fault in a file. */
export interface ConfigFault {
  /** From 1. */
  readonly line: number;
  readonly path: ConfigPath;
  readonly reason: string;
}

/** A file that cannot be taken; the message is about the first fault and counts the others. */
export class ConfigFileError extends ConfigError {
  readonly file: string;
  readonly faults: readonly ConfigFault[];

  constructor(file: string, faults: readonly ConfigFault[], hint?: string) {
    const first = faults[0]!;
    const where = `${file}:${first.line}`;
    const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more)`;
    super([where], `${describe(first)}${more}`, hint);
    this.name = "ConfigFileError";
    this.file = file;
    this.faults = faults;
  }

  /** One fault without file and line. */
  describe(fault: ConfigFault): string {
    return describe(fault);
  }
}

function describe({ path, reason }: ConfigFault): string {
  return path.length === 0 ? reason : `${pathText(path)}: ${reason}`;
}

/** A configuration and the way back from its values to the file's lines. */
export interface ParsedConfig {
  readonly config: Config;
  readonly file: string;
  /** Turns a refusal of one of its values into one that names file and line. */
  locate(error: ConfigError): ConfigFileError;
}

/** Line of the deepest part of `path` that the document has. */
function lineOf(document: Document, lines: LineCounter, path: ConfigPath): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function issuePath(issue: z.core.$ZodIssue): ConfigPath {
  const path = issue.path.filter((step) => typeof step !== "symbol");
  return issue.code === "unrecognized_keys" ? [...path, issue.keys[0]!] : path;
}

function issueReason(issue: z.core.$ZodIssue): string {
  if (issue.code !== "unrecognized_keys") return issue.message;
  return "there is no such setting";
}

/**
 * Reads `text`; `file` is its name in messages. Throws `ConfigFileError`.
 */
export function parseConfig(text: string, file: string): ParsedConfig {
  const { value, locate } = parseYaml(text, file, configSchema);
  return { config: value, file, locate };
}

export interface ParsedYaml<Value> {
  readonly value: Value;
  locate(error: ConfigError): ConfigFileError;
}

/** The same for any schema. */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
): ParsedYaml<z.output<Schema>> {
  if (text.length > CONFIG_BYTES_MAX) {
    const reason = `is longer than ${CONFIG_BYTES_MAX / 2 ** 20} MiB`;
    throw new ConfigFileError(file, [{ line: 1, path: [], reason }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = document.errors.map((error) => ({
    line: lines.linePos(error.pos[0]).line,
    path: [],
    reason: error.message,
  }));
  if (faults.length > 0) throw new ConfigFileError(file, faults);
  const fault = (path: ConfigPath, reason: string): ConfigFault => ({
    line: lineOf(document, lines, path),
    path,
    reason,
  });
  const result = schema.safeParse(toPlain(document, file) ?? {});
  if (!result.success) {
    const found = result.error.issues.map((issue) => fault(issuePath(issue), issueReason(issue)));
    throw new ConfigFileError(file, found);
  }
  const locate = (error: ConfigError): ConfigFileError =>
    new ConfigFileError(file, [fault(error.path, error.problem)], error.hint || undefined);
  return { value: result.data, locate };
}

/** Aliases may multiply a small file without end; the library refuses more than it is told. */
function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new ConfigFileError(file, [{ line: 1, path: [], reason }]);
  }
}
