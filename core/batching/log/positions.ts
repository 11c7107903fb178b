/** How far each consumer is, as a small file that is replaced whole. */
import { z } from "zod";
import { crc32c } from "../../trace/crc32c.ts";
import { type LogStorage, readFully, writeAll } from "./log_storage.ts";

export const POSITIONS_NAME = "positions";
const NEW_NAME = "positions.new";
const BYTES_MAX = 1 << 20;

const schema = z.strictObject({
  version: z.literal(1),
  /** Identifier of the next segment. */
  nextSegment: z.int().min(1),
  /** Sequence of the next batch. */
  nextSequence: z.int().min(1),
  /** By consumer: every batch up to this sequence needs no sending again. */
  acknowledged: z.record(z.string(), z.int().min(0)),
});

export type Positions = Readonly<Omit<z.infer<typeof schema>, "version">>;

export function encodePositions(positions: Positions): Uint8Array {
  const encoder = new TextEncoder();
  const text = JSON.stringify({ version: 1, ...positions });
  const sum = crc32c(encoder.encode(text)).toString(16).padStart(8, "0");
  return encoder.encode(`${text}\n${sum}\n`);
}

/** Undefined where anything is wrong with it. */
export function decodePositions(bytes: Uint8Array): Positions | undefined {
  const text = new TextDecoder().decode(bytes);
  const end = text.indexOf("\n");
  if (end < 0) return undefined;
  const sum = crc32c(new TextEncoder().encode(text.slice(0, end)));
  if (text.slice(end + 1) !== `${sum.toString(16).padStart(8, "0")}\n`) return undefined;
  const parsed = schema.safeParse(JSON.parse(text.slice(0, end)));
  return parsed.success ? parsed.data : undefined;
}

/** Undefined where there is none, or none that can be read: then everything is sent again. */
export async function readPositions(storage: LogStorage): Promise<Positions | undefined> {
  if (!(await storage.list()).includes(POSITIONS_NAME)) return undefined;
  const file = await storage.open(POSITIONS_NAME);
  try {
    return decodePositions(await readFully(file, Math.min(file.size, BYTES_MAX), 0));
  } finally {
    await file.close();
  }
}

/** Either the old or the new positions survive a crash; with `durable` the new ones, once it resolves. */
export async function writePositions(
  storage: LogStorage,
  positions: Positions,
  durable: boolean,
): Promise<void> {
  if ((await storage.list()).includes(NEW_NAME)) await storage.remove(NEW_NAME);
  const file = await storage.create(NEW_NAME);
  try {
    await writeAll(file, encodePositions(positions), 0);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
  await storage.rename(NEW_NAME, POSITIONS_NAME);
  if (durable) await storage.syncFolder();
}
