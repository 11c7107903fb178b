/**
 * What executes BPF: an engine makes linked programs runnable in an instance. All engines share the
 * instance's memory, maps and helpers, and programs of different engines may tail-call each other.
 */
import type { ProgramLocation } from "#core/errors.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram, Reference } from "#wasm/loader/linked_program.ts";
import type { Instrument } from "./probes.ts";

/** What a program names that the backend has created: a map, or a byte of global data. */
export type DataReference = Exclude<Reference, { readonly kind: "function" }>;

/** Address, in the instance's memory, of what a program names. */
export type Resolve = (reference: DataReference) => number;

export interface LoadOptions {
  /** Bytes that the program may read at r1; 0 where it takes no context. */
  readonly contextSize?: number;
  /** Value of r2 at the start, below 2^31. Programs of a kernel find nothing there. */
  readonly secondArgument?: number;
  /** What the code shall tell about its runs; the compiling engine alone can. */
  readonly instrument?: Instrument | undefined;
}

/** A loaded program. Whoever loads it closes it; a program array may keep it alive longer. */
export interface EngineProgram {
  /** What `RuntimeInstance.run` and program arrays take. */
  readonly handle: number;
  /** Memory that the code takes, in bytes, maps not counted. */
  readonly memoryBytes: number;
  /** Closing twice is a no-op. */
  close(): void;
}

/**
 * What a program is watched for. `fast`: nothing but the bounds of linear memory, for programs that are
 * known to be right. `checked`: every access against what the program may touch. `paranoid`: reads of
 * stack that was never written, and uses of elements that the program deleted or replaced, besides.
 */
export const MODES = ["fast", "checked", "paranoid"] as const;
export type Mode = (typeof MODES)[number];
export const DEFAULT_MODE: Mode = "checked";

export interface Engine {
  readonly name: "ubpf" | "aot";
  /** Instances that run its programs are created `paranoid` where this is. */
  readonly mode: Mode;
  /**
   * Throws `VerifierError` for code that the engine cannot run, `BpfError` with ENOMEM where the
   * instance's memory is used up, with EINVAL where the instance is of another mode; nothing is left
   * behind.
   */
  load(
    instance: RuntimeInstance,
    program: LinkedProgram,
    resolve: Resolve,
    options?: LoadOptions,
  ): EngineProgram;
}

/** A place in a program, and what an engine knows about it beyond its text. */
export interface FaultSite {
  readonly location: ProgramLocation;
  /** Why the place must not be reached, as a clause. */
  readonly note?: string;
}
