/**
 * What programs see of a map, over the model of what system calls see. Maps with one value a key
 * answer alike from both sides; of per-CPU maps a program sees the slot of the CPU it runs on.
 */

import { MAP_TYPE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import {
  describeOutcome,
  failed,
  type MapCall,
  type Outcome,
} from "#property-tests/conformance/map_call.ts";
import type { ProgramOperationName } from "#property-tests/conformance/program_abi.ts";
import { bytesOf, u32 } from "./bytes.ts";
import { isPerCpu, type MapModel, valueBytesOf } from "./map_model.ts";

export interface ProgramCall {
  readonly kind: ProgramOperationName;
  readonly key: Uint8Array;
  readonly value: bigint;
  readonly flags: number;
  readonly cpu: number;
  readonly limit: number;
}

/** An answer with a negative result as errno, and the value where there is one. */
export interface ProgramOutcome {
  readonly errno: number;
  /** Not negative: what `visit` counted. */
  readonly count: number;
  readonly value: bigint;
}

const SLOT_DIGITS = 16;
const KEY_WEIGHT = 1000003n;
const U64 = (1n << 64n) - 1n;

export class ProgramModel {
  private readonly model: MapModel;
  private readonly cpus: number;

  constructor(model: MapModel, cpus: number) {
    this.model = model;
    this.cpus = cpus;
  }

  /** What is wrong with the outcome, or undefined. */
  judge(call: ProgramCall, actual: ProgramOutcome): string | undefined {
    if (call.kind === "visit") return this.judgeVisit(call, actual);
    const perCpu = isPerCpu(this.model.spec.type);
    return perCpu || call.kind === "add"
      ? this.judgeSlot(call, actual)
      : this.judgeAlike(call, actual);
  }

  /** One value a key: a program's operation is judged as the system call that does the same. */
  private judgeAlike(call: ProgramCall, actual: ProgramOutcome): string | undefined {
    const { key } = call;
    const value = bytesOf(hexOf(call.value));
    const withValue: Outcome =
      actual.errno === 0 ? { errno: 0, value: hexOf(actual.value) } : failed(actual.errno);
    switch (call.kind) {
      case "lookup":
        return this.model.judge({ kind: "lookup", key, flags: 0 }, withValue);
      case "peek":
        return this.model.judge({ kind: "lookup", key, value, flags: 0 }, withValue);
      case "pop":
        return this.model.judge({ kind: "lookup_and_delete", key }, withValue);
      case "update":
      case "push": {
        const { flags } = call;
        const update: MapCall = { kind: "update", key, value, flags, byProgram: true };
        return this.model.judge(update, failed(actual.errno));
      }
      case "delete":
        return this.model.judge({ kind: "delete", key }, failed(actual.errno));
      default:
        return `${call.kind} is no operation of this map`;
    }
  }

  /** In terms of whole values: read, change one slot, write. Needs an exact model. */
  private judgeSlot(call: ProgramCall, actual: ProgramOutcome): string | undefined {
    const { key } = call;
    const before = this.model.apply({ kind: "lookup", key, flags: 0 });
    switch (call.kind) {
      case "lookup":
        return differs(this.slot(before, call.cpu), actual);
      case "lookup_percpu":
        return differs(this.slot(before, call.limit), actual);
      case "update":
        return differs(this.write(call, before, call.value, call.flags), actual);
      case "delete":
        return differs(this.model.apply({ kind: "delete", key }), actual);
      case "add": {
        const old = this.slot(before, call.cpu);
        if (old.value === undefined) return differs(old, actual);
        const sum = (numberOf(old.value) + call.value) & U64;
        return differs(this.write(call, before, sum, 0), actual);
      }
      default:
        return `${call.kind} is no operation of this map`;
    }
  }

  private slot(whole: Outcome, cpu: number): Outcome {
    const at = isPerCpu(this.model.spec.type) ? cpu * SLOT_DIGITS : 0;
    const value = whole.value?.slice(at, at + SLOT_DIGITS);
    return value === undefined || value === "" ? failed(ERRNO.ENOENT) : { errno: 0, value };
  }

  /** A key that is new gets zeros on all other CPUs. */
  private write(call: ProgramCall, before: Outcome, slot: bigint, flags: number): Outcome {
    const digits = 2 * valueBytesOf(this.model.spec, this.cpus);
    const at = isPerCpu(this.model.spec.type) ? call.cpu * SLOT_DIGITS : 0;
    const whole = before.value ?? "0".repeat(digits);
    const changed = whole.slice(0, at) + hexOf(slot) + whole.slice(at + SLOT_DIGITS);
    const value = bytesOf(changed);
    return this.model.apply({ kind: "update", key: call.key, value, flags, byProgram: true });
  }

  private judgeVisit(call: ProgramCall, actual: ProgramOutcome): string | undefined {
    if (call.flags !== 0) return differs(failed(ERRNO.EINVAL), actual);
    const keys = this.model.apply({ kind: "walk", from: null }).keys ?? [];
    // The callback stops the walk once it has seen `limit` elements, so it sees one at least.
    const visited = Math.min(keys.length, Math.max(call.limit, 1));
    if (actual.errno !== 0 || actual.count !== visited) {
      return `expected ${visited} elements, got ${actual.count} (errno ${actual.errno})`;
    }
    const { type } = this.model.spec;
    const inOrder = type === MAP_TYPE.array || type === MAP_TYPE.percpu_array;
    if (visited < keys.length && !inOrder) return undefined;
    const sum = keys
      .slice(0, visited)
      .reduce((total, key) => total + this.weight(key, call.cpu), 0n);
    return (sum & U64) === actual.value
      ? undefined
      : `expected sum ${sum & U64}, got ${actual.value}`;
  }

  private weight(key: string, cpu: number): bigint {
    const whole = this.model.apply({ kind: "lookup", key: bytesOf(key), flags: 0 });
    return KEY_WEIGHT * BigInt(u32(bytesOf(key))) + numberOf(this.slot(whole, cpu).value!);
  }
}

function differs(expected: Outcome, actual: ProgramOutcome): string | undefined {
  const errnoDiffers = expected.errno !== actual.errno;
  const valueDiffers = expected.value !== undefined && expected.value !== hexOf(actual.value);
  if (!errnoDiffers && !valueDiffers) return undefined;
  const value = actual.errno === 0 ? { value: hexOf(actual.value) } : {};
  return `expected ${describeOutcome(expected)}, got ${describeOutcome({ errno: actual.errno, ...value })}`;
}

/** A u64 as the hex of its eight bytes in memory. */
function hexOf(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString("hex");
}

function numberOf(hexDigits: string): bigint {
  return Buffer.from(hexDigits, "hex").readBigUInt64LE();
}
