/** Ring buffers: their sizes, and when their reader is woken. */
import { ConfigError } from "#core/config/config_error.ts";
import { setWakeupBytes } from "#core/rings/wakeup_settings.ts";
import type { RunPartKind } from "./part.ts";

export const ringsPart: RunPartKind = {
  name: "rings",
  openOptions: (spec, { rings }) => ({ maxEntries: { [spec.ring]: rings.bytes } }),
  create: (running) => ({
    apply({ rings }) {
      for (const { object } of running.collectors) setWakeupBytes(object, rings.wakeup_bytes);
    },
    check(config) {
      if (config.rings.bytes === running.config.rings.bytes) return;
      throw new ConfigError(
        ["rings", "bytes"],
        "cannot change while the run lasts",
        "start it again",
      );
    },
  }),
};
