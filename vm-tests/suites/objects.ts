/** Every BPF object that the project ships: the guest's verifier takes it, and its programs attach. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Backend } from "#core/backend.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";

const FOLDER = "build/bpf";

export function objectSuite(backend: () => Backend): void {
  const attachAll = (name: string, object: Uint8Array, programs: readonly string[]): void => {
    const opened = backend().open(object, { name, programs });
    try {
      opened.load();
      expect([...opened.programs.keys()].sort()).toEqual([...programs].sort());
      const links = [...opened.programs.values()].map((program) => program.attach());
      for (const link of links) link.close();
    } finally {
      opened.close();
    }
  };

  describe("shipped objects", () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith(".bpf.o"));

    test("there are some", () => expect(names.length).toBeGreaterThan(0));

    for (const name of names) {
      const object = readFileSync(join(FOLDER, name));
      const { programs } = parseObject(object, name);
      const loading = programs.filter(({ autoload }) => autoload).map((program) => program.name);

      test(`${name} verifies, and all its programs attach at once`, () => {
        expect(loading.length).toBeGreaterThan(0);
        attachAll(name, object, loading);
      });

      for (const variant of programs.filter(({ autoload }) => !autoload)) {
        test(`${name}: ${variant.section} verifies and attaches`, () =>
          attachAll(name, object, [variant.name]));
      }
    }
  });
}
