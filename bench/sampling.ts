/**
 * What a sampling decision adds to a rejected and to a kept event, on this kernel: the system call collector in a loop
 * (`collector_loop.ts`), with decisions at several rates, against objects in which the answer is compiled in.
 */
import type { BpfObject } from "#core/backend.ts";
import { compileRules } from "#core/sampling/compile_rules.ts";
import { DEFAULT_SAMPLING } from "#core/sampling/sampling_config.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { type Bench, machine } from "./bench.ts";
import { addedBy, CollectorLoop, EVENTS, inTurns, type Variant } from "./collector_loop.ts";
import { requireKernel } from "./require_kernel.ts";

/** Of a rate at which next to nothing is kept. */
const SMALL_RATE = 1e-6;
const RATES = [0.5, 0.1, 0.01, 1e-3];

function sampleAt(rate: number): Variant {
  const rules = compileRules({ ...DEFAULT_SAMPLING, strategy: "uniform" }, () => rate);
  const prepare = (object: BpfObject) => {
    new SamplingTable(object).publish(rules);
  };
  return { name: "sampling", flags: [], prepare };
}

function answerAlways(keep: boolean): Variant {
  const constants = { sampling_answer: keep ? 1 : 0 };
  return { name: "sampling_fixed", flags: ["-DSAMPLING_FIXED"], constants };
}
const NEVER = answerAlways(false);
const ALWAYS = answerAlways(true);

export const samplingBench: Bench = {
  rounds: 2000,
  async run({ rounds }) {
    requireKernel("bench sampling");
    const backend = createKernelBackend();
    try {
      const rates = [SMALL_RATE, 1, ...RATES];
      const variants = [NEVER, ALWAYS, ...rates.map(sampleAt)];
      const loops = variants.map((variant) => new CollectorLoop(backend, variant, "exit"));
      const [never = [], always = [], small = [], whole = [], ...others] = inTurns(loops, rounds);
      const rejected = addedBy(small, never);
      const kept = addedBy(whole, always);
      const ofRate = RATES.map((rate, i) => {
        // What the record of a kept event costs is no part of the decision.
        const fixed = never.map((time, round) => time + rate * (always[round]! - time));
        return [rate, addedBy(others[i]!, fixed).added_ns] as const;
      });
      return {
        sampling: { rejected_ns: rejected.added_ns, kept_ns: kept.added_ns },
        rejected_quartiles_ns: rejected.quartiles_ns,
        kept_quartiles_ns: kept.quartiles_ns,
        decision_ns_by_rate: Object.fromEntries(ofRate),
        rounds,
        method:
          `median over rounds of a decision - an answer compiled in, ${EVENTS} system calls a round in a loop in the ` +
          "kernel, caches warm; counting by stratum included",
        machine: machine(),
      };
    } finally {
      backend.close();
    }
  },
};
