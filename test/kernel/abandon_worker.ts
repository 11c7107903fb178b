/** A worker that opens everything and closes nothing. */
import { parentPort, workerData } from "node:worker_threads";
import { createKernelBackend } from "#kernel/backend.ts";

const { object: bytes, exit } = workerData as { object: Uint8Array; exit: boolean };
const object = createKernelBackend().open(bytes);
object.load();
const ring = object.maps.get("ring")!.ring();
object.maps.get("counters")!.memory();
void ring.wait(60_000);
if (exit) setImmediate(() => process.exit());
else parentPort!.postMessage("open");
