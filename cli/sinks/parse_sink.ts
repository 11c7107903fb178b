import type { Sink } from "#core/pipeline/sink.ts";
import { UsageError } from "../usage_error.ts";
import { NdjsonSink } from "./ndjson_sink.ts";

/** `ndjson:FILE` → a sink. */
export function parseSink(text: string): Sink {
  const colon = text.indexOf(":");
  const kind = colon < 0 ? text : text.slice(0, colon);
  const target = colon < 0 ? "" : text.slice(colon + 1);
  if (kind === "ndjson" && target !== "") return new NdjsonSink(target);
  throw new UsageError(`--sink ${text}: give ndjson:FILE (ndjson:- is standard output)`);
}
