/**
 * Errors of the project, alike on both backends.
 *
 * Every message is one line that says what failed, where, and what to do about it; longer
 * material (a verifier log, a cause) hangs on the error object.
 */

/** Linux errno values that maps, programs and helpers answer with (asm-generic numbers). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ELOOP: 40,
  EOPNOTSUPP: 95,
  ENOTSUPP: 524,
} as const;

const CODES = new Map<number, string>(
  Object.entries(ERRNO).map(([code, errno]) => [errno, code] as const),
);

/** The name of an errno (`22` → `"EINVAL"`); an unknown one becomes `"E" + number`. */
export function errnoCode(errno: number): string {
  return CODES.get(errno) ?? `E${errno}`;
}

export interface BpfErrorOptions {
  /** Positive errno; 0 where no system call answered. */
  readonly errno?: number;
  /** What the reader can do about it, as an imperative clause. */
  readonly hint?: string;
  /** Elements of a batch that were done before the failing one. */
  readonly processed?: number;
  readonly cause?: unknown;
}

/** A failed operation on an object, program, map or ring. */
export class BpfError extends Error {
  readonly operation: string;
  readonly errno: number;
  /** Symbolic errno (`"EINVAL"`), or `""` where there is none. */
  readonly code: string;
  readonly hint: string;
  /** Batch operations only: elements done before the failing one. */
  readonly processed: number | undefined;

  constructor(operation: string, problem: string, options: BpfErrorOptions = {}) {
    const errno = options.errno ?? 0;
    const code = errno === 0 ? "" : errnoCode(errno);
    const hint = options.hint ?? "";
    const suffix = `${code === "" ? "" : ` (${code})`}${hint === "" ? "" : `; ${hint}`}`;
    super(`${operation}: ${problem}${suffix}`, { cause: options.cause });
    this.name = "BpfError";
    this.operation = operation;
    this.errno = errno;
    this.code = code;
    this.hint = hint;
    this.processed = options.processed;
  }
}

/** A program was refused, by the kernel's verifier or by the load-time checks of the wasm backend. */
export class VerifierError extends BpfError {
  /** The whole log; the message ends in its last useful line. */
  readonly log: string;

  constructor(program: string, problem: string, log: string, options: BpfErrorOptions = {}) {
    super(`load program ${program}`, problem, options);
    this.name = "VerifierError";
    this.log = log;
  }
}

/** This machine or this backend lacks a feature. */
export class NotSupportedError extends BpfError {
  readonly feature: string;
  /** First kernel that has the feature (`"5.11"`), or `""` where no kernel would help. */
  readonly minKernel: string;

  constructor(feature: string, minKernel: string, hint?: string) {
    const problem =
      minKernel === "" ? "is not supported here" : `needs Linux ${minKernel} or newer`;
    super(feature, problem, hint === undefined ? {} : { hint });
    this.name = "NotSupportedError";
    this.feature = feature;
    this.minKernel = minKernel;
  }
}

/** Where in a BPF program something went wrong. */
export interface ProgramLocation {
  readonly program: string;
  /** Index of the instruction in the linked program, in 8-byte slots. */
  readonly instruction: number;
  /** The instruction as text, as a disassembler prints it. */
  readonly text: string;
  /** C source position (`"bpf/tcp_monitor.bpf.c:41"`) and line, where the object has `.BTF.ext`. */
  readonly source?: string;
  readonly sourceLine?: string;
}

/** The object that a faulty access hit, or missed by less than a page. */
export interface FaultObject {
  /** NULL, a frame of the stack, the context, a value of a map, or a record of a ring buffer. */
  readonly kind: "null" | "frame" | "context" | "value" | "record";
  /** Name of the map or ring. */
  readonly map?: string;
  /** Of the access, in bytes: from the object's start, in a frame from r10. */
  readonly offset: number;
  /** Bytes of the object; 0 for NULL. */
  readonly size: number;
  /** The value was deleted or replaced, the record submitted or discarded. */
  readonly gone: boolean;
}

/** A running program did what a kernel would never have let it do (wasm backend only). */
export class ProgramFault extends BpfError {
  readonly location: ProgramLocation | undefined;
  /** What the access was about, for faults at an address. */
  readonly object: FaultObject | undefined;

  constructor(
    problem: string,
    location: ProgramLocation | undefined,
    hint?: string,
    object?: FaultObject,
  ) {
    super(describeLocation(location), problem, hint === undefined ? {} : { hint });
    this.name = "ProgramFault";
    this.location = location;
    this.object = object;
  }
}

function describeLocation(location: ProgramLocation | undefined): string {
  if (location === undefined) return "program";
  const at = `program ${location.program}, instruction ${location.instruction} (${location.text})`;
  if (location.source === undefined) return at;
  const line = location.sourceLine === undefined ? "" : `: ${location.sourceLine.trim()}`;
  return `${at} at ${location.source}${line}`;
}
