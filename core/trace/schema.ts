/**
 * The JSON at the start of a trace: where it was recorded, and how its contexts are laid out.
 */

import { z } from "zod";
import { TraceError } from "./error.ts";
import { LIMITS } from "./format.ts";

const nonNegative = z.int().min(0);

const hookFieldSchema = z.object({
  name: z.string().min(1),
  /** From the start of the context, in bytes. */
  offset: nonNegative,
  /** Of one element, in bytes. */
  size: z.int().min(1),
  signed: z.boolean(),
  /** Elements: 1, or the length of an array. */
  count: z.int().min(1),
});

const hookSchema = z
  .object({
    /** What the hook column holds. */
    id: nonNegative.max(LIMITS.hooks - 1),
    /** Kind and name as in a BPF section (`"tracepoint/sock/inet_sock_set_state"`). */
    hook: z.string().min(1),
    /** BTF name of the context's struct. */
    struct: z.string().min(1),
    /** Of the context, in bytes. */
    size: z.int().min(1).max(LIMITS.contextBytes),
    fields: z.array(hookFieldSchema),
  })
  .refine((hook) => hook.fields.every((f) => f.offset + f.size * f.count <= hook.size), {
    message: "a field ends after the context",
  });

/** Task facts that a recorder may or may not know. */
export const TASK_FACT_NAMES = [
  "pid",
  "tid",
  "parent_pid",
  "uid",
  "gid",
  "cgroup_id",
  "start_ns",
  "namespaces",
  "comm",
] as const;

const unique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

export const traceSchema = z.object({
  /** In words, for people. */
  source: z.string(),
  /** Release of the recorded kernel (`"6.18.44"`). */
  kernel: z.string(),
  /** Machine of the recorded kernel as `uname -m` says it (`"x86_64"`). */
  machine: z.string(),
  /** CPU numbers of the events lie below this. */
  cpus: z.int().min(1).max(LIMITS.cpus),
  clock: z.enum(["monotonic", "boottime", "tai", "realtime"]),
  /** The task facts that were recorded; the others are zero and mean nothing. */
  taskFacts: z.array(z.enum(TASK_FACT_NAMES)),
  hooks: z
    .array(hookSchema)
    .max(LIMITS.hooks)
    .refine((hooks) => unique(hooks.map((hook) => hook.id)), { message: "two hooks share an id" }),
});

export type HookField = Readonly<z.infer<typeof hookFieldSchema>>;
export type HookLayout = Readonly<z.infer<typeof hookSchema>>;
/** Members that this version does not know are dropped on reading. */
export type TraceSchema = Readonly<z.infer<typeof traceSchema>>;

/** Parses and checks the JSON found at `offset` of a trace; throws `TraceError` (corrupt). */
export function parseTraceSchema(json: Uint8Array, offset: number): TraceSchema {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
  } catch {
    throw new TraceError("corrupt", offset, "the schema is not JSON");
  }
  const result = traceSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") ?? "";
  throw new TraceError(
    "corrupt",
    offset,
    `schema member "${path}": ${issue?.message ?? "invalid"}`,
  );
}

/** Context size by hook id; 0 where no hook has the id. */
export function contextSizes(schema: TraceSchema): Uint32Array {
  const sizes = new Uint32Array(LIMITS.hooks);
  for (const hook of schema.hooks) sizes[hook.id] = hook.size;
  return sizes;
}
