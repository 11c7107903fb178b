/** The container image holds every module that the command loads: it has sources, and no build to miss one. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

/** Modules of this project behind `cli/main.ts`, as paths from the root. */
async function modulesOfCommand(): Promise<string[]> {
  const input = "cli/main.ts";
  const bundle = await rolldown({ input, platform: "node", logLevel: "silent" });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  await bundle.close();
  return output[0].moduleIds
    .map((path) => relative(process.cwd(), path))
    .filter((path) => /^[a-z]/.test(path) && !path.startsWith("node_modules/"));
}

/** What the Dockerfile takes from the repository into the folder that it builds in. */
function copiedIn(dockerfile: string): string[] {
  const lines = [...dockerfile.matchAll(/^COPY (?!--)(.+) \S+$/gm)];
  return lines.flatMap(([, sources]) => sources!.split(" "));
}

/** What goes from there into the image. */
function copiedOut(dockerfile: string): string[] {
  const lines = [...dockerfile.matchAll(/cp (?:-R )?([^;]+) "\$app\/[^"]*";/g)];
  return lines.flatMap(([, sources]) => sources!.split(" "));
}

/** What the engine is given at all. */
function allowed(dockerignore: string): string[] {
  return [...dockerignore.matchAll(/^!(.+)$/gm)].map(([, path]) => path!);
}

function holds(copied: readonly string[], module: string): boolean {
  return copied.some((source) => {
    if (!source.endsWith("/*.ts")) return module === source || module.startsWith(`${source}/`);
    const rest = module.slice(source.length - "*.ts".length);
    return module.startsWith(source.slice(0, -"*.ts".length)) && !rest.includes("/");
  });
}

test("the image holds every module of the command", async () => {
  const dockerfile = readFileSync("Dockerfile", "utf8");
  const modules = await modulesOfCommand();
  expect(modules).toContain("cli/main.ts");
  expect(modules.length).toBeGreaterThan(100);
  const missing = modules.filter(
    (module) => !holds(copiedIn(dockerfile), module) || !holds(copiedOut(dockerfile), module),
  );
  expect(missing).toEqual([]);
});

test("what the Dockerfile copies is given to the engine", () => {
  const given = allowed(readFileSync(".dockerignore", "utf8"));
  const sources = copiedIn(readFileSync("Dockerfile", "utf8"));
  expect(sources).toContain("cli");
  const withheld = sources.filter((source) => !given.includes(source) && !holds(given, source));
  expect(withheld).toEqual([]);
});
