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
      .default(0)
      .describe(
        "Bytes that wait before the reader is woken; 0: whenever it had caught up; 1: at every event.",
      ),
    wakeup_deadline_ms: z
      .int()
      .min(1)
      .max(1000)
      .default(20)
      .describe("The reader looks by itself after this many milliseconds, woken or not."),
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
  .describe("The ring buffers between programs and user space.");

export type RingConfig = Readonly<z.infer<typeof ringConfigSchema>>;
