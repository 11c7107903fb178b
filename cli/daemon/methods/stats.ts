/** Statistics, and where events went. */
import { z } from "zod";
import { TARGET_LOSS_DEFAULT, telemetryOf } from "../../run/parts/telemetry.ts";
import { type ControlMethod, controlMethod } from "../method.ts";

export const statsMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "stats.show",
    params: z.strictObject({}).default({}),
    handle: ({ running }) => telemetryOf(running).statistics(),
  }),
  controlMethod({
    name: "stats.explain",
    params: z
      .strictObject({ target_loss: z.number().min(0).max(1).default(TARGET_LOSS_DEFAULT) })
      .prefault({}),
    handle: ({ running }, { target_loss }) => telemetryOf(running).explain(target_loss),
  }),
];
