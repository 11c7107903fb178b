import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { configJsonSchema } from "#core/config/config.ts";

test("the published JSON Schema is that of the code; npm run tapio-bpf -- schema prints it", () => {
  const published = JSON.parse(readFileSync("docs/tapio.schema.json", "utf8"));
  expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

function undescribed(schema: Record<string, unknown>, path: string): string[] {
  const properties = (schema["properties"] ?? {}) as Record<string, Record<string, unknown>>;
  return Object.entries(properties).flatMap(([name, property]) => {
    const here = `${path}${name}`;
    const bare = property["description"] === undefined ? [here] : [];
    return [...bare, ...undescribed(property, `${here}.`)];
  });
}

test("every setting is described", () => expect(undescribed(configJsonSchema(), "")).toEqual([]));
