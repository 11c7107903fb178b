/** The `shedding:` section of the configuration. */
import { z } from "zod";

export const sheddingConfigSchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe(
        "Sample more where events would otherwise be dropped. A replay as fast as it goes waits instead.",
      ),
    min_multiplier: z
      .number()
      .positive()
      .max(1)
      .default(0.01)
      .describe(
        "Sampling rates are never multiplied by less than this; what is still too much is dropped.",
      ),
  })
  .prefault({})
  .describe(
    "Load shedding: under pressure the sampling rates of ordinary events shrink, those of errors and of " +
      "high priority do not, and estimates stay unbiased.",
  );

export type SheddingConfig = Readonly<z.infer<typeof sheddingConfigSchema>>;
