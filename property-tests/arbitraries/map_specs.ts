/** Descriptions of maps: small legal ones to operate on, and any ones to be refused or created. */

import fc from "fast-check";
import { MAP_FLAG, MAP_TYPE, type MapSpec } from "#core/backend.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";

const ACCESS = fc.oneof(
  { weight: 20, arbitrary: fc.constant<number>(0) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<number>(
      MAP_FLAG.RDONLY,
      MAP_FLAG.WRONLY,
      MAP_FLAG.RDONLY_PROG,
      MAP_FLAG.WRONLY_PROG,
    ),
  },
);

const entries = fc.constantFrom(1, 2, 3, 4, 5, 8, 16);
const valueSizes = fc.constantFrom(1, 3, 4, 8, 12, 64);
const four = fc.constant(4);
const none = fc.constant(0);

/** The template of inner maps; the suite creates maps like it, and unlike it. */
export const INNER_TEMPLATE: MapSpec = {
  name: "inner",
  type: MAP_TYPE.array,
  keySize: 4,
  valueSize: 8,
  maxEntries: 2,
  flags: 0,
};

interface Shape {
  readonly keySize: fc.Arbitrary<number>;
  readonly valueSize: fc.Arbitrary<number>;
  readonly maxEntries: fc.Arbitrary<number>;
  /** Flags of the type; access flags are added where the type takes them. */
  readonly flags: fc.Arbitrary<number>;
  readonly access: fc.Arbitrary<number>;
}

const indexed: Shape = {
  keySize: four,
  valueSize: valueSizes,
  maxEntries: entries,
  flags: none,
  access: ACCESS,
};
const descriptors: Shape = {
  ...indexed,
  valueSize: four,
  access: ACCESS.map((flags) => flags & (MAP_FLAG.RDONLY | MAP_FLAG.WRONLY)),
};
const hashed: Shape = {
  keySize: fc.constantFrom(1, 2, 4, 8, 13, 64),
  valueSize: valueSizes,
  maxEntries: entries,
  flags: fc.constantFrom<number>(0, MAP_FLAG.NO_PREALLOC),
  access: ACCESS,
};
const leastRecentlyUsed: Shape = {
  ...hashed,
  flags: fc.constantFrom<number>(0, MAP_FLAG.NO_COMMON_LRU),
};
const keyless: Shape = { ...indexed, keySize: none };

const SHAPES: Readonly<Record<ModelledType, Shape>> = {
  array: { ...indexed, flags: fc.constantFrom<number>(0, MAP_FLAG.MMAPABLE) },
  percpu_array: indexed,
  hash: hashed,
  percpu_hash: hashed,
  lru_hash: leastRecentlyUsed,
  lru_percpu_hash: leastRecentlyUsed,
  lpm_trie: {
    ...hashed,
    keySize: fc.constantFrom(5, 6, 8, 12, 20, 260),
    flags: fc.constant<number>(MAP_FLAG.NO_PREALLOC),
  },
  queue: keyless,
  stack: keyless,
  bloom_filter: keyless,
  array_of_maps: descriptors,
  hash_of_maps: { ...hashed, valueSize: four },
  prog_array: descriptors,
  perf_event_array: descriptors,
  ringbuf: {
    keySize: none,
    valueSize: none,
    maxEntries: fc.constantFrom(4096, 8192),
    flags: none,
    access: none,
  },
};

/** Maps of `type` that every backend can create. */
export function legalSpec(type: ModelledType): fc.Arbitrary<MapSpec> {
  const { keySize, valueSize, maxEntries, flags, access } = SHAPES[type];
  return fc
    .record({ keySize, valueSize, maxEntries, flags, access })
    .map((shape) => toSpec(type, { ...shape, flags: shape.flags | shape.access }));
}

/** The same maps with room for a crowd: hundreds of keys. */
export function crowdSpec(type: ModelledType): fc.Arbitrary<MapSpec> {
  const shape = SHAPES[type];
  const keySize = type === "lpm_trie" ? fc.constantFrom(6, 8, 20) : fc.constantFrom(2, 4, 8, 13);
  return fc
    .record({
      keySize,
      valueSize: fc.constantFrom(1, 8, 12),
      maxEntries: fc.constantFrom(64, 100, 256, 500, 512),
      flags: shape.flags,
    })
    .map((sizes) => toSpec(type, sizes));
}

type Sizes = Pick<MapSpec, "keySize" | "valueSize" | "maxEntries" | "flags">;

function toSpec(type: ModelledType, sizes: Sizes): MapSpec {
  const { keySize, valueSize, maxEntries, flags } = sizes;
  const spec = { name: type, type: MAP_TYPE[type], keySize, valueSize, maxEntries, flags };
  const outer = type === "array_of_maps" || type === "hash_of_maps";
  const complete: MapSpec = outer ? { ...spec, inner: INNER_TEMPLATE } : spec;
  return Object.assign(complete, { [fc.toStringMethod]: () => describeSpec(complete) });
}

/** A power of two that no map knows as a creation flag. */
const UNKNOWN_FLAG = 1 << 30;

const oddFlags = fc
  .subarray<number>([...Object.values(MAP_FLAG), UNKNOWN_FLAG], { maxLength: 3 })
  .map((flags) => flags.reduce((all, flag) => all | flag, 0));

/** Maps of `type` with sizes and flags around every limit. Never large enough to need memory. */
export function anySpec(type: ModelledType): fc.Arbitrary<MapSpec> {
  const legal = SHAPES[type];
  const mostly = (usual: fc.Arbitrary<number>, odd: fc.Arbitrary<number>) =>
    fc.oneof({ weight: 3, arbitrary: usual }, { weight: 1, arbitrary: odd });
  return fc
    .record({
      keySize: mostly(legal.keySize, fc.constantFrom(0, 1, 3, 4, 5, 8, 260, 261)),
      valueSize: mostly(legal.valueSize, fc.constantFrom(0, 1, 4, 8, 32768, 32769, 1 << 22)),
      maxEntries: mostly(legal.maxEntries, fc.constantFrom(0, 1, 2, 3, 4095, 4096, 4097, 6144)),
      flags: mostly(legal.flags, oddFlags),
    })
    .filter(({ valueSize, maxEntries }) => valueSize * maxEntries <= 1 << 23)
    .map((sizes) => toSpec(type, sizes));
}

export function describeSpec({ type, keySize, valueSize, maxEntries, flags }: MapSpec): string {
  const typeName = Object.entries(MAP_TYPE).find(([, number]) => number === type)?.[0];
  const flagNames = Object.entries(MAP_FLAG).filter(([, bit]) => (flags & bit) !== 0);
  const flagText = flags === 0 ? "0" : flagNames.map(([name]) => name).join("|") || `${flags}`;
  return `${typeName} (key ${keySize}, value ${valueSize}, entries ${maxEntries}, flags ${flagText})`;
}
