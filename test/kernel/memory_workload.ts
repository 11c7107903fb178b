/** Everything the addon does, over and over, for a memory checker to watch. Argument: cycles. */
import { setImmediate as turn } from "node:timers/promises";
import { createKernelBackend } from "#kernel/backend.ts";
import { compileCycleObjects, cycle, useMaps } from "./cycles.ts";

const CYCLES_BETWEEN_COLLECTIONS = 10;

/** What nobody holds any more gives its memory back. */
async function collectGarbage(): Promise<void> {
  (globalThis as { gc?: () => void }).gc?.();
  await turn();
}

const cycles = Number(process.argv[2]);
const objects = compileCycleObjects();
for (let round = 0; round < cycles; round++) {
  await cycle(objects, round);
  if (round % CYCLES_BETWEEN_COLLECTIONS !== 0) continue;
  const backend = createKernelBackend();
  useMaps(backend);
  backend.close();
  await collectGarbage();
}
// Finalizers may release what only the next collection finds.
for (let i = 0; i < 3; i++) await collectGarbage();
console.log(`${cycles} cycles`);
