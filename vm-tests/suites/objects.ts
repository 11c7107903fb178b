/** Every BPF object that the project ships: the guest's verifier takes it, and its programs attach. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Backend } from "#core/backend.ts";

const FOLDER = "build/bpf";

export function objectSuite(backend: () => Backend): void {
  describe("shipped objects", () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith(".bpf.o"));

    test("there are some", () => expect(names.length).toBeGreaterThan(0));

    for (const name of names) {
      test(`${name} verifies, and all its programs attach at once`, () => {
        const object = backend().open(readFileSync(join(FOLDER, name)), { name });
        try {
          object.load();
          expect(object.programs.size).toBeGreaterThan(0);
          const links = [...object.programs.values()].map((program) => program.attach());
          for (const link of links) link.close();
        } finally {
          object.close();
        }
      });
    }
  });
}
