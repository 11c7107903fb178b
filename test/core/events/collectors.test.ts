import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { COLLECTORS } from "#core/events/collectors.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";

for (const { name, object, programs } of COLLECTORS.values()) {
  const spec = parseObject(readFileSync(`build/bpf/${object}`), object);

  test(`${name}: hooks are of the kinds that the object's sections say`, () => {
    const said = programs.flatMap(({ hooks }) =>
      hooks.map(({ kind, function: name }) => [name, kind]),
    );
    const found = spec.programs.map((program) => [program.name, program.kind]);
    expect(said.sort()).toEqual(found.sort());
  });

  test(`${name}: one variant of each program loads by itself, the last resort`, () => {
    const loading = spec.programs.filter(({ autoload }) => autoload).map((program) => program.name);
    expect(loading).toEqual(programs.map((program) => program.name));
    expect(loading).toEqual(programs.map(({ hooks }) => hooks.at(-1)!.function));
  });
}
