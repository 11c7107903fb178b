/** Maps of a fresh simulated machine, and keys and values as numbers. */
import { type BpfMap, MAP_TYPE, type MapSpec, type MapTypeName } from "#core/backend.ts";
import { BpfError } from "#core/errors.ts";
import { RuntimeInstance } from "#wasm/instance.ts";
import { loadRuntimeModule } from "#wasm/load_runtime.ts";
import { WasmMap, type WasmMapOptions } from "#wasm/map.ts";

const wasm = await loadRuntimeModule();

export function newInstance(cpus = 4): Promise<RuntimeInstance> {
  return RuntimeInstance.create({ wasm, cpus });
}

export function spec(type: MapTypeName, changes: Partial<MapSpec> = {}): MapSpec {
  return {
    name: "test",
    type: MAP_TYPE[type],
    keySize: 4,
    valueSize: 8,
    maxEntries: 4,
    flags: 0,
    ...changes,
  };
}

/** A map in an instance of its own. */
export async function newMap(
  type: MapTypeName,
  changes: Partial<MapSpec> = {},
  options: WasmMapOptions = {},
): Promise<WasmMap> {
  return new WasmMap(await newInstance(), spec(type, changes), options);
}

export function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

export function u64(...values: (number | bigint)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);
}

/** The u64s of the value under a u32 key, or undefined. */
export function get(map: BpfMap, key: number): bigint[] | undefined {
  const value = new Uint8Array(map.valueBytes);
  return map.lookup(u32(key), value) ? [...new BigUint64Array(value.buffer)] : undefined;
}

/** All u32 keys, in the map's order. */
export function keysOf(map: BpfMap): number[] {
  const keys: number[] = [];
  const next = new Uint8Array(4);
  for (let key: Uint8Array | null = null; map.nextKey(key, next); key = next.slice()) {
    keys.push(new Uint32Array(next.slice().buffer)[0]!);
    if (keys.length > 10_000) throw new Error("the iteration does not end");
  }
  return keys;
}

/** The symbolic errno that `operation` fails with, or "" if it does not. */
export function errnoOf(operation: () => unknown): string {
  try {
    operation();
  } catch (error) {
    if (error instanceof BpfError) return error.code;
    throw error;
  }
  return "";
}
