/** Where built files lie: `build/`, beside the sources and beside `dist/` alike. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BpfError } from "#core/errors.ts";

/** The package's folder: the nearest one above that holds package.json with a name. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package-lock.json")) && !existsSync(join(folder, "LICENSE"))) {
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  return folder;
}

export function artifactPath(name: string): string {
  return join(packageRoot(), "build", name);
}

/** A built file's bytes; `BpfError` where it was not built. */
export function readArtifact(name: string): Uint8Array {
  const path = artifactPath(name);
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new BpfError(`read ${name}`, "has not been built", { hint: "run npm run setup", cause });
  }
}
