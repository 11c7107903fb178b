/** CO-RE against libbpf: random structs, and what random kernels made of them. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { BpfError } from "#core/errors.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { expectAgreement } from "../test/support/agreement.ts";
import { compileBpfOnce } from "../test/support/clang.ts";
import { linkWithLibbpf } from "../test/support/libbpf.ts";
import { corePair } from "./arbitraries/core_structs.ts";
import { checkProperty } from "./property.ts";

function compiled(source: string): Uint8Array | undefined {
  try {
    return compileBpfOnce(source, ["-fno-crash-diagnostics"]);
  } catch (error) {
    if (String(error).includes("error in backend")) return undefined;
    throw error;
  }
}

test("every instruction is relocated, or poisoned, or refused as libbpf does", () => {
  const outcomes = { same: 0, refused: 0, relocations: 0 };
  checkProperty(
    "loader agrees with libbpf on CO-RE",
    fc.property(corePair, ({ object: source, kernel }) => {
      const object = compiled(source);
      // The compiler refuses some bit fields, with what looks like a crash.
      fc.pre(object !== undefined);
      const target = compileBpfOnce(kernel);
      const libbpf = linkWithLibbpf(object, target);
      const spec = parseObject(object, "object");
      if (typeof libbpf !== "string") {
        expectAgreement(object, target);
        outcomes.same++;
        outcomes.relocations += spec.ext.coreRelocations.length;
        return;
      }
      const link = () => linkPrograms(spec, { targetBtf: parseObject(target, "kernel").btf });
      expect(link, libbpf).toThrow(BpfError);
      outcomes.refused++;
    }),
  );
  // Pairs that are refused compare nothing.
  expect(outcomes.relocations).toBeGreaterThan(0);
});
