/**
 * The simulated machine in a web page: the collectors' bytecode, compiled in the page, over a
 * generated workload. Shows the books; `document.body.dataset.state` says how it ended.
 */
import { COLLECTORS } from "#core/events/collectors.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import { createWasmBackend } from "#wasm/backend.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { createWorkload } from "#wasm/world/workload.ts";

const RECORDS_PER_DRAIN = 2048;
const WORKLOAD = { duration_s: 1, cpus: 2, seed: 1 };

async function fetchBytes(name: string): Promise<Uint8Array> {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function run(): Promise<string> {
  const started = performance.now();
  const backend = await createWasmBackend({
    runtime: await fetchBytes("runtime.wasm"),
    kernelTypes: await fetchBytes("kernel_types.bpf.o"),
    engine: "aot",
    cpus: WORKLOAD.cpus,
  });
  const pipelines: CollectorPipeline[] = [];
  for (const spec of COLLECTORS.values()) {
    const object = backend.open(await fetchBytes(spec.object), { name: spec.object });
    object.load();
    for (const program of object.programs.values()) program.attach();
    pipelines.push(new CollectorPipeline(spec, object, backend.cpus, []));
  }
  const drain = (): void => {
    for (const pipeline of pipelines) while (pipeline.pump() > 0);
  };
  const { schema, blocks } = createWorkload("default", WORKLOAD);
  const replayer = new Replayer(backend, schema);
  for await (const block of blocks) {
    if (block.kind === "tasks") replayer.tasks(block);
    if (block.kind === "events") replayer.events(block, RECORDS_PER_DRAIN, drain);
  }
  const books = Object.fromEntries(pipelines.map((each) => [each.spec.name, each.books()]));
  const elapsed_ms = Math.round(performance.now() - started);
  return JSON.stringify({ engine: backend.engine, elapsed_ms, records: replayer.records, books });
}

const output = document.querySelector("pre")!;
try {
  output.textContent = await run();
  document.body.dataset["state"] = "done";
} catch (error) {
  output.textContent = String(error);
  document.body.dataset["state"] = "failed";
}
