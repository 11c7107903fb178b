/** What the numbers in registers stand for: maps, their values, global variables, stack and context. */
import { type BpfMap, MAP_TYPE } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { FRAME_POINTER } from "#wasm/loader/instructions.ts";
import { WasmMap } from "#wasm/map.ts";
import type { HelperCall } from "./effect.ts";
import type { Step } from "./tracer.ts";

const FRAME_BYTES = 512;

interface Region {
  readonly start: number;
  readonly bytes: number;
  readonly nameAt: (offset: number) => string;
}

const withOffset = (name: string, offset: number): string =>
  offset === 0 ? name : `${name}${offset < 0 ? "" : "+"}${offset}`;

const named = (name: string) => (offset: number) => withOffset(name, offset);

export class ValueNames {
  /** Regions that last as long as the object does. */
  readonly #regions: Region[] = [];
  readonly #maps = new Map<number, BpfMap>();
  /** Regions of the run: what lookups and reservations gave, and the context. */
  #found: Region[] = [];

  /** `maps` are the loaded object's. */
  constructor(instance: RuntimeInstance, btf: Btf, maps: Iterable<BpfMap>) {
    for (const map of maps) {
      if (!(map instanceof WasmMap)) continue;
      this.#maps.set(map.address, map);
      this.#regions.push({ start: map.address, bytes: 1, nameAt: named(map.name) });
      if (map.spec.type !== MAP_TYPE.array) continue;
      const start = instance.exports.rt_map_values(map.handle);
      const stride = Math.ceil(map.spec.valueSize / 8) * 8;
      const bytes = stride * map.spec.maxEntries;
      this.#regions.push({ start, bytes, nameAt: nameInArray(map, btf, stride) });
    }
  }

  /** Forgets what the last run found. `contextBytes` lie behind r1. */
  begin(first: Step, contextBytes: number): void {
    const context = Number(first.registers[1]!);
    this.#found = [{ start: context, bytes: contextBytes, nameAt: named("ctx") }];
  }

  /** Remembers what the result of a helper points to. */
  note({ helper, arguments: [first, second] }: HelperCall, result: bigint): void {
    if (result === 0n || first === undefined) return;
    const map = this.#maps.get(Number(first.value));
    if (map === undefined) return;
    const start = Number(result);
    if (helper === "bpf_ringbuf_reserve") {
      const nameAt = named(`record of ${map.name}`);
      this.#found.unshift({ start, bytes: Number(second!.value), nameAt });
    } else if (RETURNS_VALUE.has(helper) && map.spec.type !== MAP_TYPE.array) {
      const nameAt = named(`value of ${map.name}`);
      this.#found.unshift({ start, bytes: map.spec.valueSize, nameAt });
    }
  }

  /** Undefined for a plain number. `open` are the steps of the frames, the innermost last. */
  nameOf(value: bigint, open: readonly Step[]): string | undefined {
    if (value <= 0n || value > 0xffff_ffffn) return undefined;
    const address = Number(value);
    for (const { registers, depth } of open.toReversed()) {
      const offset = address - Number(registers[FRAME_POINTER]!);
      if (offset > 0 || offset < -FRAME_BYTES) continue;
      const own = depth === open.at(-1)!.depth;
      return withOffset(own ? "fp" : `fp[${depth}]`, offset);
    }
    for (const { start, bytes, nameAt } of [...this.#found, ...this.#regions]) {
      if (address >= start && address < start + bytes) return nameAt(address - start);
    }
    return undefined;
  }
}

const RETURNS_VALUE: ReadonlySet<string> = new Set([
  "bpf_map_lookup_elem",
  "bpf_map_lookup_percpu_elem",
  "bpf_task_storage_get",
  "bpf_cgrp_storage_get",
]);

/** Global variables by their names, elements of other arrays by their index. */
function nameInArray(map: WasmMap, btf: Btf, stride: number): (offset: number) => string {
  const section = btf.types[map.spec.valueTypeId ?? 0];
  if (section?.kind !== "section") {
    return (offset) => withOffset(`${map.name}[${Math.floor(offset / stride)}]`, offset % stride);
  }
  return (offset) => {
    const variable = section.variables.find(
      (one) => offset >= one.offset && offset < one.offset + one.size,
    );
    if (variable === undefined) return withOffset(map.name, offset);
    return withOffset(btf.types[variable.typeId]!.name, offset - variable.offset);
  };
}
