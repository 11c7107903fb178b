/** Our loader and libbpf, which the kernel backend uses, make the same of an object. */

import { globSync } from "node:fs";
import { expect, it } from "vitest";
import { expectAgreement } from "../../../support/agreement.ts";
import { compileBpf } from "../../../support/clang.ts";

const kernel = compileBpf("backends/wasm/world/kernel_types.c");

it.each(["maps", "relocations"])("agree on %s", (name) => {
  const object = compileBpf(`test/testdata/loader/${name}.bpf.c`, ["-DWITHOUT_EXTERNS"]);
  expect(expectAgreement(object, kernel).length).toBeGreaterThan(1);
});

it.each(globSync("bpf/*.bpf.c"))("agree on collector %s", (path) => {
  expect(expectAgreement(compileBpf(path), kernel).length).toBeGreaterThan(0);
});
