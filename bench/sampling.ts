/**
 * What a sampling decision adds to a rejected and to a kept event, on this kernel: the system call collector at
 * the real hooks (`hook_load.ts`), with decisions that keep next to nothing or everything, against objects in which
 * the answer is compiled in.
 */
import type { BpfObject } from "#core/backend.ts";
import { compileRules } from "#core/sampling/compile_rules.ts";
import { DEFAULT_SAMPLING } from "#core/sampling/sampling_config.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { type Bench, machine, median } from "./bench.ts";
import { compileVariant, measureVariant, requireKernel } from "./hook_load.ts";

/** Of a rate at which next to nothing is kept, and the draws are those of every small rate. */
const SMALL_RATE = 1e-6;

function sampleAt(rate: number): (object: BpfObject) => void {
  const rules = compileRules({ ...DEFAULT_SAMPLING, strategy: "uniform" }, () => rate);
  return (object) => {
    new SamplingTable(object).publish(rules);
  };
}

export const samplingBench: Bench = {
  rounds: 9,
  async run({ rounds }) {
    requireKernel("bench sampling");
    const real = compileVariant("sampling", []);
    const never = compileVariant("sampling_never", ["-DSAMPLING_FIXED=0"]);
    const always = compileVariant("sampling_always", ["-DSAMPLING_FIXED=1"]);
    const backend = createKernelBackend();
    try {
      backend.enableStatistics();
      const rejected: number[] = [];
      const kept: number[] = [];
      let events = 0;
      for (let round = 0; round < rounds; round++) {
        const rejecting = await measureVariant(backend, real, sampleAt(SMALL_RATE));
        const rejectingFixed = await measureVariant(backend, never);
        const keeping = await measureVariant(backend, real, sampleAt(1));
        const keepingFixed = await measureVariant(backend, always);
        rejected.push(rejecting.exit_ns - rejectingFixed.exit_ns);
        kept.push(keeping.exit_ns - keepingFixed.exit_ns);
        events += rejecting.events + keeping.events;
      }
      return {
        sampling: { rejected_ns: median(rejected), kept_ns: median(kept) },
        rejected_ns_each_round: rejected,
        kept_ns_each_round: kept,
        events,
        rounds,
        method:
          "run_time_ns / run_cnt of the exit program, median over rounds of a decision - an answer compiled in; counting by stratum included",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
