/** Faults as the runtime records them (`runtime/fault.h`), and as people read them. */

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

export interface FaultRecord {
  readonly kind: number;
  /** Where in the program, as its engine numbers call sites. */
  readonly site: number;
  readonly address: bigint;
  readonly size: number;
  readonly cpu: number;
}

/** Reads `struct rt_fault_record` at byte `address`. */
export function readFaultRecord(memory: Uint32Array, address: number): FaultRecord {
  const [kind = 0, site = 0, low = 0, high = 0, size = 0, cpu = 0] = memory.subarray(
    address >>> 2,
    (address >>> 2) + 6,
  );
  return { kind, site, address: (BigInt(high) << 32n) | BigInt(low), size, cpu };
}

/** What happened, as a clause: `store of 8 bytes at 0x10, which it may not write`. */
export function describeFault(record: FaultRecord): string {
  const at = `${record.size} ${record.size === 1 ? "byte" : "bytes"} at 0x${record.address.toString(16)}`;
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
      return `spin lock at 0x${record.address.toString(16)} misused`;
    case FAULT.reference:
      return `reserved record at 0x${record.address.toString(16)} not submitted once`;
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
