/** Runs programs of one object under a tracer: on one context, or on the events of a trace. */
import type { BpfObject, Program } from "#core/backend.ts";
import type { Config } from "#core/config/config.ts";
import { BpfError, ProgramFault } from "#core/errors.ts";
import { LINUX_6_18_HOOKS } from "#core/trace/linux_hooks.ts";
import type { TraceReader } from "#core/trace/reader.ts";
import type { HookLayout } from "#core/trace/schema.ts";
import { createWasmBackend, type WasmBackend } from "#wasm/backend.ts";
import type { CoverageCollector } from "#wasm/coverage/collector.ts";
import { type TraceListener, Tracer } from "#wasm/tracing/tracer.ts";
import { ValueNames } from "#wasm/tracing/value_names.ts";
import { naming } from "#wasm/tracing/wrap_listener.ts";
import { createContextPlan } from "#wasm/world/context_plan.ts";
import { canonicalHook } from "#wasm/world/hooks.ts";
import { Replayer } from "#wasm/world/replayer.ts";
import { readArtifact } from "../artifacts.ts";
import { openTrace } from "../trace_file.ts";
import { findProgram } from "../vm_object.ts";
import { loadTraced, type TracedObject } from "./traced_object.ts";

/** Of a zeroed context, where nobody knows how long the program's is. */
const CONTEXT_BYTES_DEFAULT = 1024;
const RECORDS_PER_DRAIN = 1024;

/** One context (zeroes unless given), or the events of a trace. */
export type TraceInput =
  | { readonly kind: "context"; readonly bytes: Uint8Array | undefined; readonly cpu: number }
  | { readonly kind: "events"; readonly path: string };

export interface TracedRunRequest {
  /** Name of a collector, or path of an object. */
  readonly object: string;
  /** Default: for one context the first program, for events all of them. */
  readonly program: string | undefined;
  readonly input: TraceInput;
  /** The only run to trace, from 1; default all. */
  readonly at: number | undefined;
  /** Of a collector's filters, limits and sampling; default every event passes. */
  readonly config: Config | undefined;
  readonly coverage: CoverageCollector | undefined;
  /** Says who is told; called once, when everything is loaded. */
  readonly listener: (session: TraceSession) => TraceListener;
}

/** What a listener may ask while programs run. */
export interface TraceSession {
  readonly backend: WasmBackend;
  readonly object: BpfObject;
  readonly tracer: Tracer;
  readonly names: ValueNames;
}

/** Thrown by a listener that has seen enough: the trace ends, and nothing is wrong. */
export class TraceEnd {}

/** Throws `BpfError` on bad input, `ProgramFault` where a program faults. */
export async function traceRuns(request: TracedRunRequest): Promise<void> {
  const { input } = request;
  const reader = input.kind === "events" ? await openTrace(input.path) : undefined;
  const { backend, tracer } = await createMachine(request, reader?.schema.cpus);
  try {
    const traced = await loadTraced(backend, request.object, request.config);
    try {
      const program = findProgram(traced.object, request.object, request.program);
      listen(request, backend, traced.object, tracer, reader);
      if (input.kind === "context") runOnce(backend, program, input);
      else await replay(reader!, backend, traced);
      checkRuns(tracer, request);
    } catch (error) {
      if (error instanceof ProgramFault) tracer.abandon();
      if (!(error instanceof TraceEnd)) throw error;
    } finally {
      await traced.close();
    }
  } finally {
    backend.close();
    await reader?.close();
  }
}

async function createMachine(
  { program, at, coverage }: TracedRunRequest,
  cpus: number | undefined,
): Promise<{ backend: WasmBackend; tracer: Tracer }> {
  const tracer = new Tracer({
    ...(program === undefined ? {} : { programs: [program] }),
    ...(at === undefined ? {} : { run: at }),
  });
  const backend = await createWasmBackend({
    runtime: readArtifact("wasm/runtime.wasm"),
    kernelTypes: readArtifact("wasm/kernel_types.bpf.o"),
    ...(cpus === undefined ? {} : { cpus }),
    instrument: (instance, linked) => ({
      ...coverage?.instrument(instance, linked),
      ...tracer.instrument(instance, linked),
    }),
  });
  return { backend, tracer };
}

function listen(
  { input, listener }: TracedRunRequest,
  backend: WasmBackend,
  object: BpfObject,
  tracer: Tracer,
  reader: TraceReader | undefined,
): void {
  const names = new ValueNames(backend.instance, object.btf, object.maps.values());
  const contextBytes = (name: string): number => {
    if (input.kind === "context" && input.bytes !== undefined) return input.bytes.length;
    return hookBytes(backend, object.programs.get(name), reader?.schema.hooks);
  };
  const told = listener({ backend, object, tracer, names });
  const beyond = (): never => {
    throw new TraceEnd();
  };
  tracer.listen({ ...naming(names, contextBytes, told), beyond });
}

/** Bytes of the contexts at the program's hook. */
function hookBytes(
  backend: WasmBackend,
  program: Program | undefined,
  hooks: readonly HookLayout[] = Object.values(LINUX_6_18_HOOKS),
): number {
  const hook = hooks.find((one) => one.hook === canonicalHook(program?.section ?? ""));
  return hook === undefined
    ? CONTEXT_BYTES_DEFAULT
    : createContextPlan(backend.kernelBtf, hook).size;
}

function runOnce(
  backend: WasmBackend,
  program: Program,
  { bytes, cpu }: TraceInput & { kind: "context" },
): void {
  program.run(bytes ?? new Uint8Array(hookBytes(backend, program)), { cpu });
}

async function replay(
  reader: TraceReader,
  backend: WasmBackend,
  traced: TracedObject,
): Promise<void> {
  const replayer = new Replayer(backend, reader.schema);
  traced.attach();
  for await (const block of reader) {
    if (block.kind === "tasks") replayer.tasks(block);
    else if (block.kind === "events") replayer.events(block, RECORDS_PER_DRAIN, traced.drain);
  }
}

function checkRuns(tracer: Tracer, { input, at, program, object }: TracedRunRequest): void {
  if (tracer.runs >= (at ?? 1)) return;
  const what = program ?? object;
  const where = input.kind === "events" ? `trace ${input.path}` : `trace ${what}`;
  const times = tracer.runs === 1 ? "once" : `${tracer.runs} times`;
  const problem = tracer.runs === 0 ? `no event of it runs ${what}` : `${what} runs only ${times}`;
  throw new BpfError(where, problem, { hint: "choose another --program or a smaller --at" });
}
