/** Draws one seed for all properties of a run, and prints it. TAPIO_SEED repeats a run. */

import { seedOf } from "./replay.ts";

export default function setup(): void {
  const seed = seedOf(process.env) ?? Math.floor(Math.random() * 0x7fffffff);
  process.env["TAPIO_SEED"] = String(seed);
  process.stderr.write(`properties: TAPIO_SEED=${seed}\n`);
}
