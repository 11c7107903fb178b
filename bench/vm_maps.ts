/** What maps and rings cost programs of the simulated machine: one operation after the other. */
import { MAP_TYPE, type MapSpec, type RecordBatch } from "#core/backend.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { WasmMap } from "#wasm/map.ts";
import { openRing } from "#wasm/ring.ts";
import { median } from "./bench.ts";
import { createInstance, load, measureRounds } from "./vm_machine.ts";

const OPERATIONS = 1_000_000;
/** As in the kernel's own benchmark: a map of 65,536 that is 6 % full. */
const HASH_SIZE = 65_536;
const HASH_ENTRIES = 4096;
const LPM_ENTRIES = 10_000;
const RING_BYTES = 1 << 20;
const RECORD_BYTES = 8;
const RECORDS_PER_DRAIN = 4096;
/** Odd, so that different numbers stay different: spreads keys over 32 bits. */
const SPREAD = 0x9e3779b1;

export interface MapResults {
  readonly hash_lookups_per_s: number;
  readonly percpu_increments_per_s: number;
  readonly lpm_lookup_10000_ns: number;
  readonly ring_records_per_s: number;
}

export async function measureMaps(engine: Engine, rounds: number): Promise<MapResults> {
  const per_s = (ns: number): number => 1e9 / ns;
  return {
    hash_lookups_per_s: per_s(await measureHash(engine, rounds)),
    percpu_increments_per_s: per_s(await measureIncrement(engine, rounds)),
    lpm_lookup_10000_ns: await measureLpm(engine, rounds),
    ring_records_per_s: per_s(await measureRing(engine, rounds)),
  };
}

function createMap(instance: RuntimeInstance, spec: Partial<MapSpec>): WasmMap {
  const defaults = { name: "map", type: MAP_TYPE.array, keySize: 4, valueSize: 8, flags: 0 };
  return new WasmMap(instance, { ...defaults, maxEntries: 1, ...spec });
}

const keyOf = (index: number): number => Math.imul(index, SPREAD) >>> 0;

/** r6 counts operations; `key` puts the next one's key onto the stack, `use` does what is measured. */
const loop = (key: string, use: string): string => `
  mov %r6, 0
  mov %r7, 0
next:
  ${key}
  lddw %r1, 0
  call 1
  jeq %r0, 0, missing
  ${use}
  add %r6, 1
  jlt %r6, ${OPERATIONS}, next
  mov %r0, %r7
  exit
missing:
  mov %r0, -1
  exit`;

/** The key of entry r6 modulo `entries`, at r10-4. */
const spreadKey = (entries: number): string => `
  mov32 %r1, %r6
  mod32 %r1, ${entries}
  mul32 %r1, ${SPREAD | 0}
  stxw [%r10-4], %r1`;

const SUM_VALUES = "ldxdw %r1, [%r0+0]\n  add %r7, %r1";

/** Runs `text` a round; r0 must be `expected` each time. Nanoseconds of an operation. */
async function measure(
  instance: RuntimeInstance,
  engine: Engine,
  map: WasmMap,
  text: string,
  expected: bigint,
  rounds: number,
): Promise<number> {
  const program = load(engine, instance, text, map);
  const context = instance.createContext(8, true);
  const rounds_ns = await measureRounds(rounds, () => {
    instance.run(program.handle, context);
    if (instance.result64 !== expected) throw new Error(`the loop gave ${instance.result64}`);
  });
  return median(rounds_ns) / OPERATIONS;
}

/** What the loop adds up where entry i holds i. */
function sumOfValues(entries: number): bigint {
  let sum = 0;
  for (let i = 0; i < OPERATIONS; i++) sum += i % entries;
  return BigInt(sum);
}

async function measureHash(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const map = createMap(instance, { type: MAP_TYPE.hash, maxEntries: HASH_SIZE });
  const key = new Uint32Array(1);
  const value = new BigUint64Array(1);
  for (let i = 0; i < HASH_ENTRIES; i++) {
    key[0] = keyOf(i);
    value[0] = BigInt(i);
    map.update(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
  }
  const lookUp = `${spreadKey(HASH_ENTRIES)}\n  mov %r2, %r10\n  add %r2, -4`;
  const expected = sumOfValues(HASH_ENTRIES);
  return measure(instance, engine, map, loop(lookUp, SUM_VALUES), expected, rounds);
}

async function measureIncrement(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const map = createMap(instance, { type: MAP_TYPE.percpu_array });
  const key = "stw [%r10-4], 0\n  mov %r2, %r10\n  add %r2, -4";
  const increment = "ldxdw %r1, [%r0+0]\n  add %r1, 1\n  stxdw [%r0+0], %r1";
  return measure(instance, engine, map, loop(key, increment), 0n, rounds);
}

async function measureLpm(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const NO_PREALLOC = 1;
  const map = createMap(instance, {
    type: MAP_TYPE.lpm_trie,
    keySize: 8,
    maxEntries: LPM_ENTRIES,
    flags: NO_PREALLOC,
  });
  const key = new Uint32Array(2);
  const value = new BigUint64Array(1);
  for (let i = 0; i < LPM_ENTRIES; i++) {
    key.set([32, keyOf(i)]);
    value[0] = BigInt(i);
    map.update(new Uint8Array(key.buffer), new Uint8Array(value.buffer));
  }
  const lookUp = `${spreadKey(LPM_ENTRIES)}
  stw [%r10-8], 32
  mov %r2, %r10
  add %r2, -8`;
  const expected = sumOfValues(LPM_ENTRIES);
  return measure(instance, engine, map, loop(lookUp, SUM_VALUES), expected, rounds);
}

/** Produces a batch, then reads it, each record by its own: nanoseconds of a record, both together. */
async function measureRing(engine: Engine, rounds: number): Promise<number> {
  const instance = await createInstance();
  const ringbuf = { type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0, maxEntries: RING_BYTES };
  const map = createMap(instance, ringbuf);
  const produce = `
  mov %r6, 0
next:
  mov %r2, ${RECORD_BYTES}
  mov %r3, 0
  lddw %r1, 0
  call 131
  jeq %r0, 0, full
  stxdw [%r0+0], %r6
  mov %r1, %r0
  mov %r2, 0
  call 132
  add %r6, 1
  jlt %r6, ${RECORDS_PER_DRAIN}, next
full:
  mov %r0, %r6
  exit`;
  const program = load(engine, instance, produce, map);
  const context = instance.createContext(8, true);
  const ring = openRing(instance, "ring", map.handle);
  let sum = 0;
  const receive = ({ view, offsets, count }: RecordBatch): void => {
    let added = 0;
    for (let i = 0; i < count; i++) added += view.getUint32(offsets[i]!, true);
    sum += added;
  };
  const drains = Math.ceil(OPERATIONS / RECORDS_PER_DRAIN);
  const rounds_ns = await measureRounds(rounds, () => {
    sum = 0;
    for (let i = 0; i < drains; i++) {
      instance.run(program.handle, context);
      ring.consume(receive);
    }
    if (sum !== (drains * RECORDS_PER_DRAIN * (RECORDS_PER_DRAIN - 1)) / 2) {
      throw new Error(`the records add up to ${sum}`);
    }
  });
  return median(rounds_ns) / (drains * RECORDS_PER_DRAIN);
}
