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
  })
  .prefault({})
  .describe("The ring buffers between programs and user space.");

export type RingConfig = Readonly<z.infer<typeof ringConfigSchema>>;
