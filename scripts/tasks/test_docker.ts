/**
 * `npm run test:docker`: builds the image with a local engine and runs the collectors in it. What it
 * starts it stops, and what it makes it removes; only packages that it had to install stay.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBaseImage } from "../container/base_image.ts";
import { type Engine, openEngine } from "../container/engine.ts";
import { checkImage } from "../container/image_checks.ts";
import { writeBuildSecrets } from "../container/machine_configuration.ts";
import { runTask } from "../run_task.ts";

const NAME = `tapio-bpf-test-${process.pid}`;
const IMAGE = `${NAME}:image`;
const BASE = `${NAME}:base`;
const BUILD_s = 1800;

function build(engine: Engine, base: string, folder: string): void {
  const secrets = writeBuildSecrets(join(folder, "secrets"));
  const args = ["build", "--network=host", "--progress=plain", `--build-arg=BASE_IMAGE=${base}`];
  const started = performance.now();
  const built = engine.run([...args, ...secrets, "--tag", IMAGE, "."], {
    show: true,
    timeout_s: BUILD_s,
  });
  if (built.status !== 0) throw new Error("docker build failed; its output stands above");
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

function printSizes(engine: Engine, base: string): void {
  for (const image of [base, IMAGE]) {
    const { stdout } = engine.run(["image", "inspect", "--format", "{{.Size}}", image]);
    console.log(`size of ${image}: ${(Number(stdout) / 1e6).toFixed(1)} MB`);
  }
}

/** Containers that an interruption left, then the images. */
function clean(engine: Engine): void {
  engine.run(["rm", "--force", NAME]);
  engine.run(["image", "rm", "--force", IMAGE]);
  engine.run(["image", "rm", "--force", BASE]);
}

await runTask(async () => {
  // Commands run to their end one after the other, so an interrupt reaches this script between two
  // of them; the default action would end it with the engine still running.
  let interrupted = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => (interrupted = true));
  const folder = mkdtempSync(join(tmpdir(), "tapio-image-"));
  let engine: Engine | undefined;
  try {
    engine = await openEngine();
    const base = findBaseImage(engine, BASE, folder).name;
    build(engine, base, folder);
    printSizes(engine, base);
    const failed = checkImage(engine, IMAGE, NAME);
    if (interrupted) throw new Error("interrupted");
    return failed === 0 ? 0 : 1;
  } finally {
    if (engine !== undefined) clean(engine);
    await engine?.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
