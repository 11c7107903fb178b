/** Sequences that mix what programs do to a map, on any CPU, with what system calls do to it. */

import fc from "fast-check";
import type { ProgramOperationName } from "#property-tests/conformance/program_abi.ts";
import {
  describeOperation,
  fittingKey,
  type KeyChoice,
  type MapOperation,
  mapOperation,
  nameOfFlags,
  nameOfKey,
  updateFlags,
} from "./map_operations.ts";

export interface ProgramOperation {
  readonly kind: ProgramOperationName;
  readonly key: KeyChoice;
  readonly value: bigint;
  readonly flags: number;
  /** Modulo the number of CPUs: where the program runs. */
  readonly cpu: number;
  /** Of `visit`: most elements. Of `lookup_percpu`: the CPU asked for, modulo CPUs + 2. */
  readonly limit: number;
}

export type MixedOperation = ProgramOperation | { kind: "system_call"; operation: MapOperation };

const value = fc.oneof(
  fc.nat({ max: 15 }).map(BigInt),
  fc.constantFrom(0xffffffffn, 0x8000000000000000n, 0xffffffffffffffffn),
);

/** `system_calls` says how many of ten operations come from user space. */
export function mixedOperations(
  kinds: readonly ProgramOperationName[],
  systemCallsOfTen: number,
): fc.Arbitrary<MixedOperation[]> {
  const fromProgram: fc.Arbitrary<MixedOperation> = fc.record({
    kind: fc.constantFrom(...kinds),
    key: fittingKey,
    value,
    flags: updateFlags,
    cpu: fc.nat({ max: 7 }),
    limit: fc.nat({ max: 7 }),
  });
  const fromUser: fc.Arbitrary<MixedOperation> = mapOperation.map((operation) => ({
    kind: "system_call" as const,
    operation,
  }));
  const either = fc.oneof(
    { weight: 10 - systemCallsOfTen, arbitrary: fromProgram },
    { weight: systemCallsOfTen, arbitrary: fromUser },
  );
  return fc.array(either.map(printable), { size: "medium" });
}

function printable(operation: MixedOperation): MixedOperation {
  return Object.assign(operation, { [fc.toStringMethod]: () => describeMixed(operation) });
}

export function describeMixed(operation: MixedOperation): string {
  if (operation.kind === "system_call") return describeOperation(operation.operation);
  const { kind, key, value, flags, cpu, limit } = operation;
  const parameters = `${nameOfKey(key)}, value ${value}, limit ${limit}${nameOfFlags(flags)}`;
  return `program on CPU ${cpu}: ${kind}(${parameters})`;
}
