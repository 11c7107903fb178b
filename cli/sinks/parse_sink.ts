/** `--sink`: where delivered events go. */
import { realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Sink } from "#core/pipeline/sink.ts";
import { UsageError } from "../usage_error.ts";
import { NdjsonSink } from "./ndjson_sink.ts";

/** Standard output as a sink's file. */
const STANDARD_OUTPUT = "-";

/** The file that a path leads to, links followed; it need not exist. */
function trueFile(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(resolve(path));
    return folder === resolve(path) ? folder : join(trueFile(folder), basename(path));
  }
}

function parseTarget(text: string): string {
  const colon = text.indexOf(":");
  const kind = colon < 0 ? text : text.slice(0, colon);
  const target = colon < 0 ? "" : text.slice(colon + 1);
  if (kind === "ndjson" && target !== "") return target;
  throw new UsageError(`--sink ${text}: give ndjson:FILE (ndjson:- is standard output)`);
}

/**
 * The files of `ndjson:FILE[,...]`. Throws `UsageError` where two sinks would write one file, or one
 * the trace that is being read.
 */
export function sinkTargets(text: string, trace?: string): readonly string[] {
  const targets = text.split(",").map(parseTarget);
  const files = targets.map((path) => (path === STANDARD_OUTPUT ? path : trueFile(path)));
  const source = trace === undefined ? undefined : trueFile(trace);
  files.forEach((file, index) => {
    const target = targets[index]!;
    if (file === source) {
      throw new UsageError(`--sink ndjson:${target}: that is the trace that the run reads`);
    }
    if (files.indexOf(file) < index) throw new UsageError(`--sink ${target}: two sinks write it`);
  });
  return targets;
}

export function writesStandardOutput(targets: readonly string[]): boolean {
  return targets.includes(STANDARD_OUTPUT);
}

/** Opens all, or none where one cannot be written. */
export async function openSinks(targets: readonly string[]): Promise<Sink[]> {
  const sinks: Sink[] = [];
  try {
    for (const target of targets) sinks.push(new NdjsonSink(target));
  } catch (error) {
    for (const sink of sinks) await sink.close();
    throw error;
  }
  return sinks;
}
