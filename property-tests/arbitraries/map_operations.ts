/**
 * Sequences of map operations. Keys and values are chosen symbolically (`hot2`, `value 7`) and
 * become bytes only against a map, so that a sequence shrinks and prints whatever the key size.
 */

import fc from "fast-check";
import { UPDATE } from "#core/backend.ts";

export type KeyChoice = {
  /** `hot`: one of four keys that most operations share; `edge`: extremes of the key's type. */
  readonly from: "hot" | "edge" | "any";
  readonly index: number;
  /** Bytes that the key is too long (or, negative, too short). */
  readonly excess: number;
};

export type ValueChoice = { readonly index: number; readonly excess: number };

export type MapOperation =
  | { kind: "lookup"; key: KeyChoice; value: ValueChoice; flags: number }
  | { kind: "update"; key: KeyChoice; value: ValueChoice; flags: number }
  | { kind: "delete"; key: KeyChoice }
  | { kind: "lookup_and_delete"; key: KeyChoice }
  | { kind: "walk"; from: KeyChoice | null }
  | { kind: "lookup_batch"; count: number }
  | { kind: "update_batch"; entries: [KeyChoice, ValueChoice][]; flags: number }
  | { kind: "delete_batch"; keys: KeyChoice[] };

/** Most of them legal. Bits 3 and 4 are known to Linux 7: avoided. */
export const updateFlags = fc.oneof(
  { weight: 12, arbitrary: fc.constant<number>(UPDATE.ANY) },
  { weight: 4, arbitrary: fc.constant<number>(UPDATE.NOEXIST) },
  { weight: 4, arbitrary: fc.constant<number>(UPDATE.EXIST) },
  { weight: 2, arbitrary: fc.constantFrom<number>(3, UPDATE.LOCK, 5, 6, 7, 32, 2 ** 32, 2 ** 40) },
);

const lookupFlags = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom<number>(1, 2, UPDATE.LOCK, 5, 32, 2 ** 32, 2 ** 40) },
);

const excess = fc.oneof(
  { weight: 40, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 1, 8) },
);

/** Keys of right length: batches take whole buffers, a single key in them cannot be too long. */
export const fittingKey: fc.Arbitrary<KeyChoice> = fc.oneof(
  { weight: 8, arbitrary: keyChoice("hot", 3) },
  { weight: 2, arbitrary: keyChoice("edge", 5) },
  { weight: 2, arbitrary: keyChoice("any", 65535) },
);

function keyChoice(from: KeyChoice["from"], max: number): fc.Arbitrary<KeyChoice> {
  return fc.nat({ max }).map((index) => ({ from, index, excess: 0 }));
}

const key: fc.Arbitrary<KeyChoice> = fc
  .tuple(fittingKey, excess)
  .map(([choice, bytes]) => ({ ...choice, excess: bytes }));

const fittingValue: fc.Arbitrary<ValueChoice> = fc
  .nat({ max: 15 })
  .map((index) => ({ index, excess: 0 }));

const value: fc.Arbitrary<ValueChoice> = fc
  .tuple(fittingValue, excess)
  .map(([choice, bytes]) => ({ ...choice, excess: bytes }));

const operations: Record<MapOperation["kind"], fc.Arbitrary<MapOperation>> = {
  lookup: fc.record({ kind: fc.constant("lookup"), key, value: fittingValue, flags: lookupFlags }),
  update: fc.record({ kind: fc.constant("update"), key, value, flags: updateFlags }),
  delete: fc.record({ kind: fc.constant("delete"), key }),
  lookup_and_delete: fc.record({ kind: fc.constant("lookup_and_delete"), key }),
  walk: fc.record({ kind: fc.constant("walk"), from: fc.option(key, { nil: null }) }),
  lookup_batch: fc.record({
    kind: fc.constant("lookup_batch"),
    count: fc.integer({ min: 1, max: 6 }),
  }),
  update_batch: fc.record({
    kind: fc.constant("update_batch"),
    entries: fc.array(fc.tuple(fittingKey, fittingValue), { size: "small" }),
    flags: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: updateFlags },
    ),
  }),
  delete_batch: fc.record({
    kind: fc.constant("delete_batch"),
    keys: fc.array(fittingKey, { size: "small" }),
  }),
};

const WEIGHTS: Record<MapOperation["kind"], number> = {
  update: 10,
  lookup: 6,
  delete: 3,
  lookup_and_delete: 2,
  walk: 2,
  lookup_batch: 1,
  update_batch: 2,
  delete_batch: 1,
};

export const mapOperation: fc.Arbitrary<MapOperation> = fc.oneof(
  ...Object.entries(WEIGHTS).map(([kind, weight]) => ({
    weight,
    arbitrary: operations[kind as MapOperation["kind"]].map(printable),
  })),
);

/** A sequence of operations; shrinks by leaving out operations and by simplifying each. */
export const operationSequence: fc.Arbitrary<MapOperation[]> = fc.array(mapOperation, {
  size: "medium",
});

/** Keys of a crowd: many more than a bucket, a batch or a small map holds. */
const crowdKey: fc.Arbitrary<KeyChoice> = fc.oneof(
  { weight: 20, arbitrary: keyChoice("any", 700) },
  { weight: 1, arbitrary: keyChoice("edge", 5) },
);

const crowdOperation: fc.Arbitrary<MapOperation> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("update"),
      key: crowdKey,
      value: fittingValue,
      flags: fc.constantFrom(UPDATE.ANY, UPDATE.ANY, UPDATE.NOEXIST, UPDATE.EXIST),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("delete"), key: crowdKey }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("lookup"),
      key: crowdKey,
      value: fittingValue,
      flags: fc.constant(0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("update_batch"),
      entries: fc.array(fc.tuple(crowdKey, fittingValue), { size: "medium" }),
      flags: fc.constant(0),
    }),
  },
) as fc.Arbitrary<MapOperation>;

/** A long sequence that fills a map of hundreds of keys, and two looks at all of it. */
export const crowdSequence: fc.Arbitrary<MapOperation[]> = fc
  .array(crowdOperation.map(printable), { size: "large" })
  .map((operations) => [
    ...operations,
    printable({ kind: "walk", from: null }),
    printable({ kind: "lookup_batch", count: 40 }),
  ]);

function printable(operation: MapOperation): MapOperation {
  return Object.assign(operation, { [fc.toStringMethod]: () => describeOperation(operation) });
}

export function describeOperation(operation: MapOperation): string {
  switch (operation.kind) {
    case "lookup":
      return `lookup(${nameOfKey(operation.key)}${nameOfFlags(operation.flags)})`;
    case "update": {
      const value = nameOfValue(operation.value);
      return `update(${nameOfKey(operation.key)}, ${value}${nameOfFlags(operation.flags)})`;
    }
    case "delete":
    case "lookup_and_delete":
      return `${operation.kind}(${nameOfKey(operation.key)})`;
    case "walk":
      return operation.from === null ? "walk()" : `walk(from ${nameOfKey(operation.from)})`;
    case "lookup_batch":
      return `lookup_batch(${operation.count} at a time)`;
    case "update_batch": {
      const entries = operation.entries.map(([k, v]) => `${nameOfKey(k)}: ${nameOfValue(v)}`);
      return `update_batch({${entries.join(", ")}}${nameOfFlags(operation.flags)})`;
    }
    case "delete_batch":
      return `delete_batch([${operation.keys.map(nameOfKey).join(", ")}])`;
  }
}

export function nameOfKey({ from, index, excess }: KeyChoice): string {
  return `${from}${index}${nameOfExcess(excess)}`;
}

function nameOfValue({ index, excess }: ValueChoice): string {
  return `value ${index}${nameOfExcess(excess)}`;
}

function nameOfExcess(excess: number): string {
  return excess === 0 ? "" : ` (${excess > 0 ? "+" : ""}${excess} bytes)`;
}

export function nameOfFlags(flags: number): string {
  const name = Object.entries(UPDATE).find(([, value]) => value === flags)?.[0];
  return flags === 0 ? "" : `, ${name ?? `flags 0x${flags.toString(16)}`}`;
}
