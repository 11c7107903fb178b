import { describe, expect, it } from "vitest";
import { ringConfigSchema, wakeupBytes } from "#core/rings/ring_config.ts";

describe("a watermark", () => {
  it.each([
    { bytes: 65_536, reserved_share: 0, wakeup_bytes: 65_536 },
    { bytes: 65_536, reserved_share: 0.5, wakeup_bytes: 32_768 },
    { bytes: 4096, reserved_share: 0.9 },
    { bytes: 1 << 30, wakeup_bytes: 0 },
  ])("is one that ordinary events can reach: %j", (given) => {
    const config = ringConfigSchema.parse(given);
    expect(wakeupBytes(config)).toBeLessThanOrEqual(config.bytes * (1 - config.reserved_share));
  });

  it.each([
    { bytes: 65_536, reserved_share: 0, wakeup_bytes: 65_537 },
    { bytes: 65_536, reserved_share: 0.5, wakeup_bytes: 32_769 },
    { wakeup_bytes: 4 << 20 },
  ])("that they never reach is refused: %j", (given) => {
    const { error } = ringConfigSchema.safeParse(given);
    expect(error?.issues).toMatchObject([
      {
        path: ["wakeup_bytes"],
        message: expect.stringContaining("must not be above"),
      },
    ]);
  });
});
