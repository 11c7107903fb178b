/** A control method: what a client may ask of a run in progress. */
import type { z } from "zod";
import type { Running } from "../run/running.ts";

export interface ControlMethod<Schema extends z.ZodType = z.ZodType> {
  /** Group and verb (`"filter.add"`). */
  readonly name: string;
  readonly params: Schema;
  /** Returns what goes to the client as JSON. Throws `BpfError` where it cannot be done. */
  handle(host: ControlHost, params: z.output<Schema>): unknown;
}

/** What methods work on. */
export interface ControlHost {
  readonly running: Running;
  /** Reads the configuration file again and puts it in force; throws as `loadConfig` does. */
  reload(): Promise<void>;
  /** Ends the run as SIGTERM would. */
  stop(): void;
}

/** Keeps the type of the parameters between schema and handler. */
export function controlMethod<Schema extends z.ZodType>(
  method: ControlMethod<Schema>,
): ControlMethod {
  return method as unknown as ControlMethod;
}
