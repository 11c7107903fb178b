/** Skips a build step whose inputs have not changed since it last succeeded. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

function contentHash(root: string, inputs: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of [...inputs].sort()) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Runs `build` unless all `outputs` exist and were built from the same `inputs` (paths under `root`). */
export async function upToDate(
  root: string,
  name: string,
  inputs: readonly string[],
  outputs: readonly string[],
  build: () => void | Promise<void>,
): Promise<void> {
  const marker = join(root, "build", "state", name);
  const hash = contentHash(root, inputs);
  const fresh =
    existsSync(marker) &&
    readFileSync(marker, "utf8") === hash &&
    outputs.every((path) => existsSync(join(root, path)));
  if (fresh) return;
  await build();
  mkdirSync(join(root, "build", "state"), { recursive: true });
  writeFileSync(marker, hash);
}
