/** How the suite talks to its programs: `programs/operations.h`, from the other side. */

import type { BpfObject } from "#core/backend.ts";
import { u32Bytes } from "#property-tests/models/bytes.ts";

/** `enum operation` of operations.h. */
export const PROGRAM_OPERATION = {
  lookup: 1,
  update: 2,
  delete: 3,
  add: 4,
  read_deleted: 5,
  read_updated: 6,
  push: 7,
  pop: 8,
  peek: 9,
  lookup_percpu: 10,
  visit: 11,
} as const;

export type ProgramOperationName = keyof typeof PROGRAM_OPERATION;

/** What `value` holds where a program found nothing to write there. */
export const UNTOUCHED = 0x5a5a5a5a5a5a5a5an;

/** Arguments of a raw tracepoint program at most. */
const ARGUMENTS_MAX = 12;

export interface ProgramArguments {
  readonly operation?: number;
  /** 4 or 8 bytes, passed as one or two words of 32 bits. */
  readonly key?: Uint8Array;
  readonly value?: bigint;
  readonly flags?: number;
  readonly limit?: number;
}

/** What a program wrote down: a helper's result, and a value. */
export interface ProgramAnswer {
  readonly result: bigint;
  readonly value: bigint;
  /** What the program itself returned. */
  readonly returnValue: number;
}

/** Runs one program of an object on one CPU and reads what it answered. */
export function runProgram(
  object: BpfObject,
  program: string,
  parameters: ProgramArguments,
  cpu: number,
): ProgramAnswer {
  const { returnValue } = object.programs.get(program)!.run(contextOf(parameters), { cpu });
  return { ...readAnswer(object), returnValue };
}

export function readAnswer(object: BpfObject): { result: bigint; value: bigint } {
  const answer = new Uint8Array(16);
  if (!object.maps.get("answers")!.lookup(u32Bytes(0), answer)) throw new Error("no answer");
  const view = new DataView(answer.buffer);
  return { result: view.getBigInt64(0, true), value: view.getBigUint64(8, true) };
}

function contextOf({ operation, key, value, flags, limit }: ProgramArguments): Uint8Array {
  const words = new DataView(new ArrayBuffer(8));
  for (const [index, byte] of (key ?? []).entries()) words.setUint8(index, byte);
  const context = new DataView(new ArrayBuffer(8 * ARGUMENTS_MAX));
  const fields = [
    BigInt(operation ?? 0),
    BigInt(words.getUint32(0, true)),
    BigInt(words.getUint32(4, true)),
    value ?? 0n,
    BigInt(flags ?? 0),
    BigInt(limit ?? 0),
  ];
  for (const [index, field] of fields.entries()) context.setBigUint64(8 * index, field, true);
  return new Uint8Array(context.buffer);
}
