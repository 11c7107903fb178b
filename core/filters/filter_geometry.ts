/** How large the tables are: buckets for so many rules, and which part of an array is whose. */
import type { Capacities, CapacityName } from "./filter_config.ts";

export type TableName = "scalars" | "networks4" | "wides";
export const TABLE_NAMES: readonly TableName[] = ["scalars", "networks4", "wides"];

/** Map of each table in the object. */
export const TABLE_MAPS: Readonly<Record<TableName, string>> = {
  scalars: "filter_scalars",
  networks4: "filter_networks4",
  wides: "filter_wides",
};
export const STATE_MAP = ".data.filters";

/** In the order of `enum filter_region`. */
export const REGIONS: readonly CapacityName[] = [
  "pid",
  "namespace",
  "cgroup",
  "uid",
  "network4",
  "network6",
  "command",
];

const TABLE_OF: Readonly<Record<CapacityName, TableName>> = {
  pid: "scalars",
  namespace: "scalars",
  cgroup: "scalars",
  uid: "scalars",
  network4: "networks4",
  network6: "wides",
  command: "wides",
};

/**
 * Rules for each bucket when a table is as full as it may be. With two buckets for each key, almost
 * surely all rules find a place up to 89 % of the slots in buckets of two, 98 % of four and more; this
 * much below, they find it in a few moves.
 */
const RULES_PER_BUCKET: Readonly<Record<TableName, number>> = {
  scalars: 3.7,
  networks4: 4.4,
  wides: 1.7,
};
/** Beyond that, so that small tables have a place for what falls into the same bucket. */
const SPARE_BUCKETS = 4;

export interface Region {
  readonly name: CapacityName;
  readonly table: TableName;
  /** First bucket of the region in the first generation; the second lies `half` buckets further. */
  readonly base: number;
  readonly count: number;
}

export interface Geometry {
  readonly capacities: Capacities;
  readonly regions: Readonly<Record<CapacityName, Region>>;
  /** Buckets of one generation, by table. */
  readonly half: Readonly<Record<TableName, number>>;
}

export function bucketsFor(table: TableName, rules: number): number {
  return rules === 0 ? 0 : Math.ceil(rules / RULES_PER_BUCKET[table]) + SPARE_BUCKETS;
}

export function geometryFor(capacities: Capacities): Geometry {
  const half: Record<TableName, number> = { scalars: 0, networks4: 0, wides: 0 };
  const regions = {} as Record<CapacityName, Region>;
  for (const name of REGIONS) {
    const table = TABLE_OF[name];
    const count = bucketsFor(table, capacities[name]);
    regions[name] = { name, table, base: half[table], count };
    half[table] += count;
  }
  return { capacities, regions, half };
}

/** Sizes of the maps that a collector's object is opened with. */
export function mapSizes(geometry: Geometry): Readonly<Record<string, number>> {
  return Object.fromEntries(
    TABLE_NAMES.map((table) => [TABLE_MAPS[table], Math.max(2 * geometry.half[table], 1)]),
  );
}
