import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import { traceSchema } from "#core/trace/schema.ts";
import { schemaWith } from "#property-tests/arbitraries/traces.ts";

/** `name offset size signed` of every field in a `format` file of tracefs. */
function formatFields(name: string): string[] {
  const url = new URL(`../../testdata/tracefs/${name}.format`, import.meta.url);
  const pattern = /field:(.*?)(\w+)(?:\[\d+\])?;\toffset:(\d+);\tsize:(\d+);\tsigned:(\d)/g;
  return [...readFileSync(url, "utf8").matchAll(pattern)].map(
    ([, , field, offset, size, signed]) =>
      `${field!.replace("common_", "ent.")} ${offset} ${size} ${signed}`,
  );
}

it.each(Object.entries(LINUX_6_18_HOOKS))(
  "%s has the fields that Linux 6.18 says",
  (name, hook) => {
    const fields = hook.fields.map(
      ({ name, offset, size, signed, count }) =>
        `${name} ${offset} ${size * count} ${signed ? 1 : 0}`,
    );
    expect(fields).toEqual(formatFields(name));
    const last = hook.fields.at(-1)!;
    const end = last.offset + last.size * last.count;
    expect(hook.size).toBe(Math.ceil(end / 8) * 8);
  },
);

it("the hooks make a valid schema", () => {
  const schema = schemaWith(Object.values(LINUX_6_18_HOOKS), 2);
  expect(traceSchema.safeParse(schema).success).toBe(true);
});
