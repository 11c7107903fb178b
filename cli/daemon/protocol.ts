/**
 * What goes over the control socket: one JSON document a line, a request and then its response. A
 * connection may send many requests; they are answered in order.
 */
import { z } from "zod";

/** Longest line either side takes: 100,000 rules fit. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024;

export const requestSchema = z.strictObject({
  /** Given back with the response. */
  id: z.number().int().nonnegative(),
  method: z.string().max(64),
  params: z.unknown().optional(),
});

export type Request = z.infer<typeof requestSchema>;

export interface Failure {
  /** One line: what, where, what to do. */
  readonly message: string;
  /** Whether the request itself was wrong (exit code 2), or carrying it out failed (1). */
  readonly usage: boolean;
}

export type Response =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: Failure };

export const responseSchema = z.union([
  z.object({ id: z.number(), result: z.unknown() }),
  z.object({ id: z.number(), error: z.object({ message: z.string(), usage: z.boolean() }) }),
]);
