/** Reads a configuration file. */
import { readFileSync, statSync } from "node:fs";
import { CONFIG_BYTES_MAX, type ParsedConfig, parseConfig } from "#core/config/parse_config.ts";
import { BpfError } from "#core/errors.ts";

/** Throws `BpfError` where it cannot be read, `ConfigFileError` where it cannot be taken. */
export function loadConfig(path: string): ParsedConfig {
  return parseConfig(readText(path), path);
}

function readText(path: string): string {
  try {
    const { size } = statSync(path);
    if (size > CONFIG_BYTES_MAX)
      throw new Error(`is longer than ${CONFIG_BYTES_MAX / 2 ** 20} MiB`);
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new BpfError(`read ${path}`, (cause as Error).message, {
      hint: "give --config a file that can be read",
      cause,
    });
  }
}
