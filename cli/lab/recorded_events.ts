/** The system calls of a recording as the events of a workload, through the collector's own bytecode. */
import type { RecordBatch } from "#core/backend.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Events } from "#lab/workload/events.ts";
import { runSimulated } from "../run/simulated.ts";

/** The most frequent system calls have a type each; the others share the last. */
const TYPES = 7;

interface SyscallEvent {
  readonly header: {
    readonly timestamp_ns: bigint;
    readonly tid: number;
    readonly priority: number;
  };
  readonly latency_ns: bigint;
  readonly number: number;
  readonly error: number;
}

async function readCalls(trace: string): Promise<SyscallEvent[]> {
  const calls: SyscallEvent[] = [];
  const sink = {
    name: "calls",
    write(batch: RecordBatch, { types, header }: EventSchema): void {
      for (let i = 0; i < batch.count; i++) {
        const type = types.get(header.type(batch.view, batch.offsets[i]!))!;
        calls.push(type.codec.decode(batch.buffer, batch.offsets[i]!) as unknown as SyscallEvent);
      }
    },
    flush: async () => {},
    close: async () => {},
  };
  await runSimulated({
    collectors: [COLLECTORS.get("syscall")!],
    source: { kind: "trace", path: trace, duration_s: undefined },
    sinks: [sink],
    engine: "aot",
    ...{ cpus: 0, seed: 1, preemptionInterval: 0, progress: false },
  });
  return calls;
}

/** Types by system call number, from 1; the most frequent first, of equally frequent ones the lowest. */
function typesByNumber(calls: readonly SyscallEvent[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { number } of calls) counts.set(number, (counts.get(number) ?? 0) + 1);
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  return new Map(sorted.map(([number], at) => [number, Math.min(TYPES, at + 1)]));
}

/** Values are latencies in ns; a thread is a connection. */
export async function recordedEvents(trace: string): Promise<Events> {
  const calls = await readCalls(trace);
  const types = typesByNumber(calls);
  const names = Array.from({ length: TYPES + 1 }, () => "");
  for (const [number, type] of types) names[type] = type < TYPES ? `call ${number}` : "other calls";
  const first_ns = calls[0]?.header.timestamp_ns ?? 0n;
  const latencies_ns = Float64Array.from(calls, ({ latency_ns }) => Number(latency_ns));
  return {
    count: calls.length,
    values: latencies_ns,
    latencies_ns,
    times_s: Float64Array.from(calls, (call) => Number(call.header.timestamp_ns - first_ns) / 1e9),
    types: Uint8Array.from(calls, ({ number }) => types.get(number)!),
    typeNames: names,
    connections: Uint32Array.from(calls, ({ header }) => header.tid),
    priorities: Uint8Array.from(calls, ({ header }) => header.priority),
    errors: Uint8Array.from(calls, ({ error }) => Number(error !== 0)),
  };
}
