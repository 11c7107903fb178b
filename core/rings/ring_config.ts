/** The `rings:` section of the configuration. */
import { z } from "zod";

/** What the kernel takes: a power of two of whole pages. */
const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0;

export const ringConfigSchema = z
  .strictObject({
    bytes: z
      .int()
      .min(4096)
      .max(1 << 30)
      .refine(isPowerOfTwo, "must be a power of two")
      .default(4 * 1024 * 1024)
      .describe("Size in bytes of each collector's ring buffer. Fixed while the run lasts."),
    wakeup_bytes: z
      .int()
      .min(0)
      .max(1 << 29)
      .optional()
      .describe(
        "Bytes that wait before the reader is woken. Default: a sixteenth of the ring. 0: whenever it had caught up; 1: at every event.",
      ),
    wakeup_deadline_ms: z
      .int()
      .min(1)
      .max(1000)
      .default(20)
      .describe("No event waits longer in a ring before the reader looks, woken or not."),
    reserved_share: z
      .number()
      .min(0)
      .max(0.9)
      .default(1 / 16)
      .describe(
        "Part of each ring that only errors and events of high priority may use; what is refused is counted (ring_reserved).",
      ),
  })
  .prefault({})
  .refine((rings) => (rings.wakeup_bytes ?? 0) <= rings.bytes * (1 - rings.reserved_share), {
    path: ["wakeup_bytes"],
    message:
      "must not be above what ordinary events may fill of the ring, or nothing wakes the reader",
  })
  .describe("The ring buffers between programs and user space.");

export type RingConfig = Readonly<z.infer<typeof ringConfigSchema>>;

/** Bytes that wait before programs wake the reader. */
export function wakeupBytes({ bytes, wakeup_bytes }: RingConfig): number {
  return wakeup_bytes ?? bytes / 16;
}

/**
 * How long the reader sleeps at most: half the deadline, for an event may come just after a look, and what timers and the
 * reader's own work add must fit in.
 */
export function lookInterval_ms({ wakeup_deadline_ms }: RingConfig): number {
  return Math.max(1, Math.floor(wakeup_deadline_ms / 2));
}
