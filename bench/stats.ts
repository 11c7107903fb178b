/**
 * What statistics add to one event, on this kernel: the system call collector with and without them, in turns, in a
 * loop (`collector_loop.ts`). An event is one run of what the enter program does and one of what the exit program does.
 */
import { createKernelBackend } from "#kernel/backend.ts";
import { type Bench, machine, median } from "./bench.ts";
import { addedBy, CollectorLoop, EVENTS, inTurns } from "./collector_loop.ts";
import { requireKernel } from "./require_kernel.ts";

const EVENTS_PER_S = 100_000;

export const statsBench: Bench = {
  rounds: 2000,
  async run({ rounds }) {
    requireKernel("bench stats");
    const backend = createKernelBackend();
    try {
      const variants = [
        { name: "statistics_on", flags: [] },
        { name: "statistics_off", flags: ["-DSTATISTICS_OFF"] },
      ];
      const loops = variants.map((each) => new CollectorLoop(backend, each, "enter and exit"));
      const map = loops[0]!.object.maps.get("probe_stats")!;
      const bytes = map.memoryBytes() / map.spec.maxEntries;
      const [on = [], off = []] = inTurns(loops, rounds);
      const { added_ns, quartiles_ns } = addedBy(on, off);
      return {
        stats: { added_ns, bytes_per_program: bytes },
        added_quartiles_ns: quartiles_ns,
        bytes_per_program_and_cpu: bytes / backend.cpus,
        event_ns: { with: median(on), without: median(off) },
        cpu_share_at_100000_events_per_s: (added_ns * EVENTS_PER_S) / 1e9,
        rounds,
        method:
          `median over rounds of with - without, ${EVENTS} system calls a round in a loop in the kernel, caches warm; ` +
          "enter and exit together; memory as the kernel accounts it",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
