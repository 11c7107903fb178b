/**
 * What statistics add to one event, on this kernel: the system call collector with and without them, in turns,
 * at the real hooks (`hook_load.ts`). An event is one run of the enter program and one of the exit program.
 */
import { createKernelBackend, type KernelBackend } from "#kernel/backend.ts";
import { type Bench, machine, median } from "./bench.ts";
import { compileVariant, measureVariant, openVariant, requireKernel } from "./hook_load.ts";

const EVENTS_PER_S = 100_000;

/** Kernel memory of the statistics map, for each program. */
function bytesPerProgram(backend: KernelBackend, path: string): number {
  const object = openVariant(backend, path);
  const map = object.maps.get("probe_stats")!;
  const bytes = map.memoryBytes() / map.spec.maxEntries;
  object.close();
  return bytes;
}

export const statsBench: Bench = {
  rounds: 9,
  async run({ rounds }) {
    requireKernel("bench stats");
    const paths = {
      with: compileVariant("statistics_on", []),
      without: compileVariant("statistics_off", ["-DSTATISTICS_OFF"]),
    };
    const backend = createKernelBackend();
    try {
      backend.enableStatistics();
      const times = { with: [] as number[], without: [] as number[] };
      let events = 0;
      for (let round = 0; round < rounds; round++) {
        for (const variant of ["with", "without"] as const) {
          const result = await measureVariant(backend, paths[variant]);
          times[variant].push(result.event_ns);
          events += result.events;
        }
      }
      const added = times.with.map((time, i) => time - times.without[i]!);
      const added_ns = median(added);
      const bytes = bytesPerProgram(backend, paths.with);
      return {
        stats: { added_ns, bytes_per_program: bytes },
        bytes_per_program_and_cpu: bytes / backend.cpus,
        event_ns: { with: median(times.with), without: median(times.without) },
        added_ns_each_round: added,
        cpu_share_at_100000_events_per_s: (added_ns * EVENTS_PER_S) / 1e9,
        events,
        rounds,
        method:
          "run_time_ns / run_cnt of enter and exit together, median over rounds of with - without; memory as the kernel accounts it",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
