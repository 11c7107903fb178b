/** A Debian base image: the one that the Dockerfile names where it can be pulled, else debootstrap's. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { findExecutable, installPackages } from "../install_tools.ts";
import type { Engine } from "./engine.ts";
import { debianArchive } from "./machine_configuration.ts";

const PUBLISHED = "debian:bookworm-slim";
const PULL_s = 120;
/** What slim images leave out, and what an engine mounts. */
const LEFT_OUT = [
  ...["./usr/share/doc/*", "./usr/share/man/*", "./usr/share/locale/*", "./usr/share/info/*"],
  ...["./var/cache/apt/*", "./var/lib/apt/lists/*", "./dev/*", "./proc/*", "./sys/*"],
];

function runHere(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, { stdio: ["ignore", 2, 2] });
  if (result.status !== 0) throw new Error(`${command} failed; see its output above`);
}

/** Makes the image `name` out of this machine's Debian archive, in `folder`. Needs root. */
function bootstrap(engine: Engine, name: string, folder: string): void {
  const archive = debianArchive();
  if (archive === undefined || process.getuid?.() !== 0) {
    throw new Error(`${PUBLISHED} cannot be pulled; making a base image takes root on Debian`);
  }
  if (findExecutable("debootstrap") === undefined) installPackages(["debootstrap"]);
  const tree = join(folder, "base");
  const tar = join(folder, "base.tar");
  runHere("debootstrap", ["--variant=minbase", archive.codename, tree, archive.url]);
  runHere("tar", ["-C", tree, ...LEFT_OUT.map((path) => `--exclude=${path}`), "-cf", tar, "."]);
  const input = openSync(tar, "r");
  try {
    const imported = engine.run(["import", "-", name], { input });
    if (imported.status !== 0) throw new Error(`docker import failed: ${imported.stderr.trim()}`);
  } finally {
    closeSync(input);
  }
}

export interface BaseImage {
  readonly name: string;
  /** Whether it was made here, under the name that was asked for, and is ours to remove. */
  readonly made: boolean;
}

export function findBaseImage(engine: Engine, name: string, folder: string): BaseImage {
  if (engine.run(["image", "inspect", PUBLISHED]).status === 0) {
    return { name: PUBLISHED, made: false };
  }
  const pulled = engine.run(["pull", "--quiet", PUBLISHED], { timeout_s: PULL_s });
  if (pulled.status === 0) return { name: PUBLISHED, made: false };
  console.error(`test:docker: ${PUBLISHED} cannot be pulled (${pulled.stderr.trim()})`);
  console.error("test:docker: making a base image with debootstrap");
  bootstrap(engine, name, folder);
  return { name, made: true };
}
