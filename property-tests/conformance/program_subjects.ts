/** The maps that the suite's programs operate on: how their objects are compiled, what they offer. */

import { MAP_FLAG } from "#core/backend.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";
import { compileBpf } from "../../test/support/clang.ts";
import type { ProgramOperationName } from "./program_abi.ts";

export interface ProgramSubject {
  /** As in the registry. */
  readonly name: string;
  readonly type: ModelledType;
  readonly flags: number;
  readonly operations: readonly ProgramOperationName[];
}

/** LRU maps are judged by what they may answer: no operation that needs an exact model. */
const BY_KEY: readonly ProgramOperationName[] = ["lookup", "update", "delete"];
const EXACT: readonly ProgramOperationName[] = [...BY_KEY, "add", "visit"];
const PER_CPU: readonly ProgramOperationName[] = [...EXACT, "lookup_percpu"];
const NO_PREALLOC: number = MAP_FLAG.NO_PREALLOC;

export const PROGRAM_SUBJECTS: readonly ProgramSubject[] = [
  { name: "array", type: "array", flags: 0, operations: EXACT },
  { name: "percpu_array", type: "percpu_array", flags: 0, operations: PER_CPU },
  { name: "hash", type: "hash", flags: 0, operations: EXACT },
  {
    name: "hash without preallocation",
    type: "hash",
    flags: NO_PREALLOC,
    operations: EXACT,
  },
  { name: "percpu_hash", type: "percpu_hash", flags: 0, operations: PER_CPU },
  {
    name: "percpu_hash without preallocation",
    type: "percpu_hash",
    flags: NO_PREALLOC,
    operations: PER_CPU,
  },
  { name: "lru_hash", type: "lru_hash", flags: 0, operations: BY_KEY },
  {
    name: "lru_hash without a common list",
    type: "lru_hash",
    flags: MAP_FLAG.NO_COMMON_LRU,
    operations: BY_KEY,
  },
  { name: "lpm_trie", type: "lpm_trie", flags: NO_PREALLOC, operations: BY_KEY },
  { name: "queue", type: "queue", flags: 0, operations: ["push", "pop", "peek"] },
  { name: "stack", type: "stack", flags: 0, operations: ["push", "pop", "peek"] },
  { name: "bloom_filter", type: "bloom_filter", flags: 0, operations: ["push", "peek"] },
];

/** The program that does an operation. */
export function programOf(operation: ProgramOperationName): string {
  if (operation === "lookup_percpu") return "look_up_percpu";
  return operation === "visit" ? "visit_elements" : "operate";
}

/** Operations that programs may do on a kernel. */
export function operationsOn(
  subject: ProgramSubject,
  kernel: KernelFeatures,
): readonly ProgramOperationName[] {
  return subject.operations.filter(
    (operation) =>
      (operation !== "visit" || kernel.forEachHelper) &&
      (operation !== "lookup_percpu" || kernel.lookupPercpuHelper),
  );
}

export function compileSubject({ type, flags, operations }: ProgramSubject): Uint8Array {
  const define = (name: string, value: string | number) => `-D${name}=${value}`;
  const parameters = [define("SUBJECT_TYPE", `BPF_MAP_TYPE_${type.toUpperCase()}`)];
  if (operations.includes("push")) {
    if (operations.includes("pop")) parameters.push("-DHAS_POP");
    return compileProgram("value_operations", parameters);
  }
  parameters.push(define("SUBJECT_FLAGS", flags));
  parameters.push(define("KEY_WORDS", type === "lpm_trie" ? 2 : 1));
  if (operations.includes("visit")) parameters.push("-DHAS_FOR_EACH");
  if (operations.includes("lookup_percpu")) parameters.push("-DHAS_PERCPU");
  return compileProgram("map_operations", parameters);
}

/** Compiles `programs/NAME.bpf.c`. */
export function compileProgram(name: string, flags: readonly string[] = []): Uint8Array {
  return compileBpf(`property-tests/conformance/programs/${name}.bpf.c`, flags);
}
