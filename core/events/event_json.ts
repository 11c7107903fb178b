/**
 * Events as JSON, one object a record, header and body flattened. Integers are numbers while they
 * are exact; kernel addresses, thresholds and randomness are hexadecimal strings.
 */
import type { RecordBatch } from "../backend.ts";
import { addressText } from "./address_text.ts";
import type { EventSchema } from "./event_schema.ts";

export type EventObject = Record<string, unknown>;

const HEXADECIMAL: ReadonlySet<string> = new Set(["socket", "sampling", "randomness"]);
const ADDRESSES: ReadonlySet<string> = new Set(["source_address", "destination_address"]);
/** Says nothing to a reader of the file. */
const OMITTED: ReadonlySet<string> = new Set(["length", "type", "reserved"]);

function integer(value: bigint): number | string {
  const exact =
    value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return exact ? Number(value) : value.toString();
}

function present(name: string, value: unknown, family: number): unknown {
  if (ADDRESSES.has(name)) return addressText(value as Uint8Array, 0, family);
  if (HEXADECIMAL.has(name)) return `0x${(value as bigint).toString(16)}`;
  return typeof value === "bigint" ? integer(value) : value;
}

/**
 * Record `index` of a batch as an object, or undefined where it is no event of this collector.
 * Allocates: for files and people, not for the hot path.
 */
export function eventObject(
  batch: RecordBatch,
  index: number,
  schema: EventSchema,
): EventObject | undefined {
  const offset = batch.offsets[index]!;
  if (batch.lengths[index]! < schema.headerSize) return undefined;
  const type = schema.types.get(schema.header.type(batch.view, offset));
  if (type === undefined || batch.lengths[index]! < type.size) return undefined;
  const { header, ...body } = type.codec.decode(batch.buffer, offset) as {
    header: Record<string, unknown>;
  } & Record<string, unknown>;
  const family = Number(body["family"] ?? 0);
  const event: EventObject = { event: type.spec.name };
  for (const [name, value] of Object.entries({ ...header, ...body })) {
    if (!OMITTED.has(name)) event[name] = present(name, value, family);
  }
  return event;
}
