/** Faults as the runtime records them (`runtime/fault.h`), and as people read them. */
import type { FaultObject } from "#core/errors.ts";
import { describeFaultObject, readFaultObject } from "./fault_object.ts";

/** Numbers of `enum rt_fault_kind` (`runtime/runtime.h`). */
export const FAULT = {
  load: 1,
  store: 2,
  helper_read: 3,
  helper_write: 4,
  argument: 5,
  budget: 6,
  call_depth: 7,
  lock: 8,
  reference: 9,
  engine: 10,
  misaligned: 11,
  poisoned: 12,
  unwritten: 13,
} as const;

/** Kinds whose address is that of an access, a lock or a record. */
const HAS_ADDRESS: ReadonlySet<number> = new Set([
  FAULT.load,
  FAULT.store,
  FAULT.helper_read,
  FAULT.helper_write,
  FAULT.lock,
  FAULT.reference,
  FAULT.misaligned,
  FAULT.unwritten,
]);

export interface FaultRecord {
  readonly kind: number;
  /** Where in the program, as its engine numbers call sites. */
  readonly site: number;
  readonly address: bigint;
  readonly size: number;
  readonly cpu: number;
  /** What lies at the address or next to it. */
  readonly object: FaultObject | undefined;
}

const FAULT_WORDS = 6;
const OBJECT_WORDS = 5;

/** Reads `struct rt_fault_record` at byte `address`. */
export function readFaultRecord(
  memory: Uint32Array,
  address: number,
  mapName: (handle: number) => string | undefined,
): FaultRecord {
  const words = memory.subarray(address >>> 2, (address >>> 2) + FAULT_WORDS + OBJECT_WORDS);
  const [kind = 0, site = 0, low = 0, high = 0, size = 0, cpu = 0] = words;
  const object = HAS_ADDRESS.has(kind)
    ? readFaultObject(words.subarray(FAULT_WORDS), mapName)
    : undefined;
  return { kind, site, address: (BigInt(high) << 32n) | BigInt(low), size, cpu, object };
}

/** What happened, as a clause: `store of 8 bytes at 0x10, which it may not write`. */
export function describeFault(record: FaultRecord): string {
  const { object, size } = record;
  const near = object === undefined ? "" : ` (${describeFaultObject(object)})`;
  const place = `0x${record.address.toString(16)}${near}`;
  const at = `${size} ${size === 1 ? "byte" : "bytes"} at ${place}`;
  switch (record.kind) {
    case FAULT.load:
      return `load of ${at}, which the program may not read`;
    case FAULT.store:
      return `store of ${at}, which the program may not write`;
    case FAULT.helper_read:
      return `helper was to read ${at}, which the program may not read`;
    case FAULT.helper_write:
      return `helper was to write ${at}, which the program may not write`;
    case FAULT.argument:
      return `helper argument 0x${record.address.toString(16)} is of the wrong kind`;
    case FAULT.budget:
      return "instruction budget used up";
    case FAULT.call_depth:
      return "more than 8 nested frames";
    case FAULT.lock:
      return `spin lock at ${place} misused`;
    case FAULT.reference:
      return `reserved record at ${place} not submitted once`;
    case FAULT.misaligned:
      return `atomic access to ${at} is not aligned`;
    case FAULT.unwritten:
      return `read of ${at}, some of which the program never wrote`;
    case FAULT.poisoned:
      return "reached an instruction that needs what this machine lacks";
    default:
      return `engine gave up (0x${record.address.toString(16)}, ${record.size})`;
  }
}

/** What to do about it, where there is something better than "repair the program". */
export const FAULT_HINTS: Readonly<Record<number, string>> = {
  [FAULT.load]: "check the pointer for NULL and the index against the object's size",
  [FAULT.store]: "check the pointer for NULL and the index against the object's size",
  [FAULT.unwritten]: "initialise the whole variable, padding included",
  [FAULT.budget]: "bound the loop, or raise the budget",
  [FAULT.lock]: "unlock before the program exits, calls a helper or locks again",
  [FAULT.reference]: "submit or discard each reserved record exactly once on every path",
};
