/** What is left of a ring to errors, on the running kernel: the property of the simulated one. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { it } from "vitest";
import { parseBtf } from "#core/btf/parse.ts";
import { checkRingReserve, reserveSteps } from "#property-tests/pipeline/ring_reserve.ts";
import { checkProperty } from "#property-tests/property.ts";
import { describeNative, withBackend } from "./native.ts";

describeNative("a ring with a reserve", () => {
  it("refuses ordinary events where only the reserve is free", () =>
    withBackend((backend) => {
      const kernel = parseBtf(new Uint8Array(readFileSync("/sys/kernel/btf/vmlinux")));
      checkProperty(
        "ring reserve",
        fc.property(reserveSteps, (steps) => checkRingReserve(backend, kernel, steps)),
      );
    }));
});
