/**
 * What every model of a map is: simple enough to be checked by reading. Models know nothing of the
 * wasm runtime; where they and the kernel disagree, they are wrong.
 */

import { MAP_FLAG, MAP_TYPE, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import type { MapCall, Outcome } from "#property-tests/conformance/map_call.ts";
import { roundUp8 } from "./bytes.ts";
import type { KernelFeatures } from "./kernel_version.ts";

/** A map whose descriptor may be stored in another map. */
export interface KnownMap {
  readonly handle: number;
  readonly spec: MapSpec;
  /** The value (hex) that looking it up in an outer map answers: the kernel gives the map's id. */
  readonly lookedUp: string;
}

/** What a map's answers depend on besides its own operations. */
export interface ModelContext {
  readonly kernel: KernelFeatures;
  readonly cpus: number;
  readonly maps: readonly KnownMap[];
}

export interface MapModel {
  readonly spec: MapSpec;
  /** Answers the call; where several answers are right, with one of them. */
  apply(call: MapCall): Outcome;
  /**
   * Says what is wrong with a backend's answer, or undefined. Replaces `apply`: a model either
   * answers or judges, since either changes its state.
   */
  judge(call: MapCall, actual: Outcome): string | undefined;
}

export interface MapModelType {
  /** 0, or the errno that creating the map answers. */
  creationErrno(spec: MapSpec, kernel: KernelFeatures): number;
  create(spec: MapSpec, context: ModelContext): MapModel;
}

const PER_CPU_TYPES: ReadonlySet<number> = new Set([
  MAP_TYPE.percpu_hash,
  MAP_TYPE.percpu_array,
  MAP_TYPE.lru_percpu_hash,
]);

export function isPerCpu(type: number): boolean {
  return PER_CPU_TYPES.has(type);
}

/** Bytes of a value as system calls copy it. */
export function valueBytesOf(spec: MapSpec, cpus: number): number {
  return isPerCpu(spec.type) ? roundUp8(spec.valueSize) * cpus : spec.valueSize;
}

/**
 * What is answered before the map's type is asked: lengths, access to the descriptor, flags that no
 * map without a lock knows. 0 where the type has to answer. No model's value holds a lock.
 */
export function refusal(spec: MapSpec, { cpus, kernel }: ModelContext, call: MapCall): number {
  if (call.kind === "update" && call.byProgram) return 0;
  if (!lengthsFit(spec, valueBytesOf(spec, cpus), call)) return ERRNO.EINVAL;
  // Flags have 64 bits: compared as numbers, since bit operations would drop the upper half.
  const onlyLock = call.kind !== "lookup" || call.flags === 0 || call.flags === UPDATE.LOCK;
  if (!onlyLock && !kernel.cpuInFlags) return ERRNO.EINVAL;
  if (reads(call) && (spec.flags & MAP_FLAG.WRONLY) !== 0) return ERRNO.EPERM;
  if (writes(call) && (spec.flags & MAP_FLAG.RDONLY) !== 0) return ERRNO.EPERM;
  if (call.kind === "lookup" || call.kind === "update") {
    if ((call.flags & UPDATE.LOCK) !== 0 || !onlyLock) return ERRNO.EINVAL;
    // No generated flags say that the upper half names a CPU.
    if (kernel.cpuInFlags && call.flags >= 2 ** 32) return ERRNO.EINVAL;
  }
  return 0;
}

/** Largest flag that per-CPU maps know since flags may name CPUs (BPF_F_ALL_CPUS). */
const PERCPU_FLAGS_MAX = 16;

/**
 * Flags of an update as a map type's own code reads them. From user space, per-CPU maps of newer kernels
 * look at the lower half only, and take a combination without a meaning for none
 * (`DIFFERENCES.cpuInFlags`).
 */
export function knownFlags(
  spec: MapSpec,
  { kernel }: ModelContext,
  { flags, byProgram }: Extract<MapCall, { kind: "update" }>,
): number {
  if (byProgram || !kernel.cpuInFlags || !isPerCpu(spec.type)) return flags;
  const low = flags % 2 ** 32;
  const locksArray = spec.type === MAP_TYPE.percpu_array && (low & UPDATE.LOCK) !== 0;
  if (low > PERCPU_FLAGS_MAX || locksArray) return flags;
  const rest = low & ~UPDATE.LOCK;
  return rest <= UPDATE.EXIST ? rest : UPDATE.ANY;
}

function lengthsFit(spec: MapSpec, valueBytes: number, call: MapCall): boolean {
  const isKey = (key: Uint8Array) => key.length === spec.keySize;
  switch (call.kind) {
    case "lookup":
    case "delete":
    case "lookup_and_delete":
      return isKey(call.key);
    case "update":
      return isKey(call.key) && call.value.length === valueBytes;
    case "walk":
      return call.from === null || isKey(call.from);
    case "lookup_batch":
    case "update_batch":
    case "delete_batch":
      return true;
  }
}

function reads(call: MapCall): boolean {
  return ["lookup", "lookup_and_delete", "walk", "lookup_batch"].includes(call.kind);
}

function writes(call: MapCall): boolean {
  return !["lookup", "walk", "lookup_batch"].includes(call.kind);
}

/** Errors of creation that no type decides. */
export function generalCreationErrno(spec: MapSpec): number {
  const bothAccesses = MAP_FLAG.RDONLY | MAP_FLAG.WRONLY;
  if ((spec.flags & bothAccesses) === bothAccesses) return ERRNO.EINVAL;
  return 0;
}

/** Flags that say who may access a map; most types take them. */
export const ACCESS_FLAGS =
  MAP_FLAG.RDONLY | MAP_FLAG.WRONLY | MAP_FLAG.RDONLY_PROG | MAP_FLAG.WRONLY_PROG;

/** Whether `flags` are among `allowed` and do not lock programs out of both directions. */
export function flagsAllowed(flags: number, allowed: number): boolean {
  const bothAccesses = MAP_FLAG.RDONLY_PROG | MAP_FLAG.WRONLY_PROG;
  return (flags & ~allowed) === 0 && (flags & bothAccesses) !== bothAccesses;
}
