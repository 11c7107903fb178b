/** Sizes of the ring buffers. */
import { ConfigError } from "#core/config/config_error.ts";
import type { RunPartKind } from "./part.ts";

export const ringsPart: RunPartKind = {
  name: "rings",
  openOptions: (spec, { rings }) => ({ maxEntries: { [spec.ring]: rings.bytes } }),
  create: (running) => ({
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
