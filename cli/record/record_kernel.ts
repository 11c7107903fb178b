/** `record`: what the collectors' hooks see on this machine, as a trace that replays anywhere. */
import { mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { machine, release } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import type { BpfMap, Link, RecordBatch } from "#core/backend.ts";
import { parseBtf } from "#core/btf/parse.ts";
import { BpfError } from "#core/errors.ts";
import type { Loss } from "#core/trace/format.ts";
import { type HookNames, hookLayout } from "#core/trace/hook_layout.ts";
import { type HookLayout, TASK_FACT_NAMES, type TraceSchema } from "#core/trace/schema.ts";
import type { TraceWriter } from "#core/trace/writer.ts";
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import type { KernelObject } from "#kernel/object.ts";
import { readArtifact } from "../artifacts.ts";
import { RECORD } from "../trace/import_record.ts";
import { mergeRuns } from "../trace/run_merge.ts";
import { SortedRuns, SortMemory } from "../trace/sorted_runs.ts";
import { fileError, writeTraceFile } from "../trace_file.ts";
import { RecordedTasks, recordedLayout } from "./recorded_tasks.ts";

export interface RecordOptions {
  /** Names of the collectors whose hooks are recorded. */
  readonly collectors: readonly string[];
  /** Where the trace goes. It appears whole or not at all, and replaces what is there. */
  readonly output: string;
  readonly duration_s: number;
  /** Whether what happens in this process's name is recorded; default no. */
  readonly includeSelf?: boolean;
  /** Ends the recording before its time; what was recorded is kept. */
  readonly signal?: AbortSignal;
}

export interface RecordSummary {
  readonly records: number;
  readonly recordsByHook: Readonly<Record<string, number>>;
  /** Events that the file states as lost. */
  readonly lost: number;
  readonly tasks: number;
  readonly bytes: number;
  readonly elapsed_s: number;
}

interface RecordedHook extends HookNames {
  readonly program: string;
  /** The object's variable with the size of the context. */
  readonly sizeVariable: string;
}

/** Ids are those of `enum recorded_hook`. */
const HOOKS: Readonly<Record<string, readonly RecordedHook[]>> = {
  tcp: [
    {
      id: 0,
      program: "record_tcp_state",
      sizeVariable: "tcp_state_bytes",
      hook: "tracepoint/sock/inet_sock_set_state",
      structs: ["trace_event_raw_inet_sock_set_state"],
    },
    {
      id: 1,
      program: "record_tcp_retransmit",
      sizeVariable: "tcp_retransmit_bytes",
      hook: "tracepoint/tcp/tcp_retransmit_skb",
      // Shared an event class with others before Linux 6.15 or so.
      structs: ["trace_event_raw_tcp_retransmit_skb", "trace_event_raw_tcp_event_sk_skb"],
    },
  ],
  syscall: [
    {
      id: 2,
      program: "record_syscall_enter",
      sizeVariable: "syscall_enter_bytes",
      hook: "tracepoint/raw_syscalls/sys_enter",
      structs: ["trace_event_raw_sys_enter"],
    },
    {
      id: 3,
      program: "record_syscall_exit",
      sizeVariable: "syscall_exit_bytes",
      hook: "tracepoint/raw_syscalls/sys_exit",
      structs: ["trace_event_raw_sys_exit"],
    },
  ],
};

const KERNEL_BTF = "/sys/kernel/btf/vmlinux";
const CONTEXT_BYTES_MAX = 96;
const RUN_BYTES = 32 << 20;
const RECORDS_PER_TURN = 65_536;
const WAIT_MS = 100;
const SETTLE_MS = 500;

/** Throws `BpfError` in one line; then nothing stays attached, and no part of a file. */
export async function recordKernel(options: RecordOptions): Promise<RecordSummary> {
  const backend = createKernelBackend();
  let folder: string | undefined;
  try {
    const hooks = options.collectors.flatMap((name) => HOOKS[name] ?? []);
    const layouts = readLayouts(hooks);
    const object = openRecorder(backend, hooks, layouts, options.includeSelf ?? false);
    folder = makeFolder(options.output);
    return await recordInto(folder, options, backend, object, hooks, layouts);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    backend.close();
  }
}

function makeFolder(output: string): string {
  try {
    // On the same file system, so that the finished file can be renamed.
    return mkdtempSync(join(dirname(output), `.${basename(output)}.`));
  } catch (error) {
    throw fileError(`record ${output}`, error);
  }
}

function readLayouts(hooks: readonly RecordedHook[]): HookLayout[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(KERNEL_BTF);
  } catch (cause) {
    throw new BpfError(`read ${KERNEL_BTF}`, "this kernel has no BTF", {
      hint: "use a kernel built with CONFIG_DEBUG_INFO_BTF",
      cause,
    });
  }
  const btf = parseBtf(bytes);
  const layouts = hooks.map((hook) => hookLayout(btf, hook));
  const large = layouts.find(({ size }) => size > CONTEXT_BYTES_MAX);
  if (large === undefined) return layouts;
  throw new BpfError(`record ${large.hook}`, `its context has ${large.size} bytes`, {
    hint: `bpf/record.bpf.c takes ${CONTEXT_BYTES_MAX}: raise CONTEXT_BYTES_MAX there and here`,
  });
}

function openRecorder(
  backend: KernelBackend,
  hooks: readonly RecordedHook[],
  layouts: readonly HookLayout[],
  includeSelf: boolean,
): KernelObject {
  const excluded_pid = includeSelf ? 0 : backend.processId();
  const constants: Record<string, number> = { excluded_pid };
  hooks.forEach(({ sizeVariable }, i) => {
    constants[sizeVariable] = layouts[i]!.size;
  });
  const object = backend.open(readArtifact("bpf/record.bpf.o"), {
    name: "record.bpf.o",
    programs: hooks.map(({ program }) => program),
    constants,
  });
  object.load();
  return object;
}

async function recordInto(
  folder: string,
  options: RecordOptions,
  backend: KernelBackend,
  object: KernelObject,
  hooks: readonly RecordedHook[],
  layouts: readonly HookLayout[],
): Promise<RecordSummary> {
  const started_ms = performance.now();
  // Events of several CPUs reach the ring almost in the order of time, and a trace is in that order.
  const events = new SortedRuns(new SortMemory(RUN_BYTES), (i) => join(folder, `events-${i}`));
  const losses = await collect(options, object, hooks, events);
  events.finish();
  const schema: TraceSchema = {
    source: `recorded by tapio-bpf (${options.collectors.join(", ")})`,
    kernel: release(),
    machine: machine(),
    cpus: backend.cpus,
    clock: "monotonic",
    taskFacts: [...TASK_FACT_NAMES],
    hooks: [...layouts],
  };
  const layout = recordedLayout(object.btf);
  const path = join(folder, "trace");
  const written = await writeTraceFile(path, schema, async (writer) => {
    await mergeRuns(events, appender(writer, new RecordedTasks(writer, layout), layout.context));
    if (losses.length > 0) writer.loss(losses);
  });
  renameSync(path, options.output);
  return {
    records: written.records,
    recordsByHook: Object.fromEntries(
      layouts.map(({ hook }, i) => [hook, written.recordsByHook[i]!]),
    ),
    lost: written.lost,
    tasks: written.tasks,
    bytes: written.bytes,
    elapsed_s: (performance.now() - started_ms) / 1000,
  };
}

/** Attaches, collects until the end, detaches; returns what was lost. */
async function collect(
  options: RecordOptions,
  object: KernelObject,
  hooks: readonly RecordedHook[],
  events: SortedRuns,
): Promise<Loss[]> {
  const ring = object.maps.get("events")!.ring();
  const deliver = ({ buffer, view, offsets, lengths, count }: RecordBatch): void => {
    for (let i = 0; i < count; i++) {
      const at = offsets[i]!;
      const length = Math.min(view.getUint16(at + RECORD.length, true), lengths[i]!);
      events.push(buffer.subarray(at, at + length), length);
    }
  };
  const links: Link[] = [];
  try {
    for (const { program } of hooks) links.push(object.programs.get(program)!.attach());
    const end_ms = performance.now() + options.duration_s * 1000;
    while (performance.now() < end_ms && options.signal?.aborted !== true) {
      const full = ring.consume(deliver, RECORDS_PER_TURN) === RECORDS_PER_TURN;
      // A wait may be over at once, without a turn.
      await turn();
      if (!full) await ring.wait(Math.min(WAIT_MS, Math.max(1, end_ms - performance.now())));
    }
  } finally {
    for (const link of links) link.close();
  }
  // Runs that were under way may still commit.
  const settled_ms = performance.now() + SETTLE_MS;
  do {
    await sleep(1);
    while (ring.consume(deliver) > 0);
  } while (ring.availableBytes() > 0 && performance.now() < settled_ms);
  return countLosses(object, hooks);
}

function countLosses(object: KernelObject, hooks: readonly RecordedHook[]): Loss[] {
  const map = object.maps.get("lost")!;
  const ringFull = hooks.reduce((sum, { id }) => sum + sumOverCpus(map, id), 0);
  const missed = hooks.reduce(
    (sum, { program }) => sum + object.programs.get(program)!.info().recursionMisses,
    0,
  );
  const losses: Loss[] = [
    { reason: "ring_full", records: ringFull },
    { reason: "missed", records: missed },
  ];
  return losses.filter(({ records }) => records > 0);
}

function sumOverCpus(map: BpfMap, index: number): number {
  const key = new Uint8Array(new Uint32Array([index]).buffer);
  const value = new Uint8Array(map.valueBytes);
  map.lookup(key, value);
  return new BigUint64Array(value.buffer).reduce((sum, count) => sum + Number(count), 0);
}

function appender(writer: TraceWriter, tasks: RecordedTasks, contextOffset: number) {
  let seen: Uint8Array | undefined;
  let view: DataView = new DataView(new ArrayBuffer(0));
  return (bytes: Uint8Array): void => {
    if (bytes !== seen) {
      seen = bytes;
      view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    writer.append(
      view.getUint32(RECORD.timeHigh, true),
      view.getUint32(RECORD.timeLow, true),
      view.getUint16(RECORD.cpu, true),
      tasks.find(bytes, view),
      view.getUint8(RECORD.hook),
      bytes,
      contextOffset,
    );
  };
}
