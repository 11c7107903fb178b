/** Ring buffers: their sizes, what is reserved of them, and when their reader is woken. */
import { ConfigError } from "#core/config/config_error.ts";
import { wakeupBytes } from "#core/rings/ring_config.ts";
import { setReservedBytes, setWakeupBytes } from "#core/rings/ring_settings.ts";
import type { RunPartKind } from "./part.ts";

export const ringsPart: RunPartKind = {
  name: "rings",
  openOptions: (spec, { rings }) => ({ maxEntries: { [spec.ring]: rings.bytes } }),
  create: (running) => ({
    apply({ rings }) {
      for (const { object } of running.collectors) {
        setWakeupBytes(object, wakeupBytes(rings));
        setReservedBytes(object, Math.round(rings.reserved_share * rings.bytes), rings.bytes);
      }
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
