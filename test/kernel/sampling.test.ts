/** Kept fractions on the running kernel, against the binomial distribution; counts against records. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compileRules } from "#core/sampling/compile_rules.ts";
import { DEFAULT_SAMPLING } from "#core/sampling/sampling_config.ts";
import { SamplingTable } from "#core/sampling/sampling_table.ts";
import { runnableOnRequest } from "#property-tests/conformance/differential_collectors.ts";
import { describeNative, withBackend } from "./native.ts";

const SECTIONS = ["tp/raw_syscalls/sys_enter", "tp/raw_syscalls/sys_exit"];
/** Runs for each rate: enough to see some events at every one. */
const RUNS: readonly (readonly [rate: number, runs: number])[] = [
  [1, 20_000],
  [0.5, 200_000],
  [0.1, 200_000],
  [1e-3, 300_000],
  [1e-4, 600_000],
];

describeNative("sampling", () => {
  it("keeps the fraction of each epoch, however often it ends within a gap", () =>
    withBackend((backend) => {
      const bytes = new Uint8Array(readFileSync("build/bpf/syscall_monitor.bpf.o"));
      const object = backend.open(runnableOnRequest(bytes, SECTIONS), {
        programs: ["syscall_exit"],
      });
      object.load();
      const table = new SamplingTable(object);
      const ring = object.maps.get("events")!.ring();
      const program = object.programs.get("syscall_exit")!;
      const rates = [0.05, 0.01, 0.5, 0.003];
      const counts = rates.map(() => ({ seen: 0, kept: 0 }));
      for (let turn = 0; turn < 2000; turn++) {
        const which = turn % rates.length;
        const rules = { ...DEFAULT_SAMPLING, strategy: "uniform" } as const;
        table.publish(compileRules(rules, () => rates[which]!));
        const repeat = 20 + (turn % 101);
        program.run(new Uint8Array(64), { repeat });
        const kept = ring.consume(() => {});
        const own = table.countsOf(table.generation)!;
        const sum = (name: "seen" | "kept") => own.reduce((total, each) => total + each[name], 0);
        expect({ seen: sum("seen"), kept: sum("kept") }).toEqual({ seen: repeat, kept });
        counts[which]!.seen += repeat;
        counts[which]!.kept += kept;
      }
      rates.forEach((rate, which) => {
        const { seen, kept } = counts[which]!;
        const z = (kept - seen * rate) / Math.sqrt(seen * rate * (1 - rate));
        expect(Math.abs(z), `rate ${rate}: ${kept} of ${seen}, z = ${z}`).toBeLessThan(5.5);
      });
      ring.close();
      object.close();
    }));

  it("keeps the fraction it was asked for, counts it exactly, and weighs it without bias", () =>
    withBackend((backend) => {
      const bytes = new Uint8Array(readFileSync("build/bpf/syscall_monitor.bpf.o"));
      const object = backend.open(runnableOnRequest(bytes, SECTIONS), {
        programs: ["syscall_enter", "syscall_exit"],
      });
      object.load();
      const table = new SamplingTable(object);
      const ring = object.maps.get("events")!.ring();
      const program = object.programs.get("syscall_exit")!;
      const context = new Uint8Array(64);
      let before = { seen: 0, kept: 0 };
      for (const [rate, runs] of RUNS) {
        table.publish(compileRules({ ...DEFAULT_SAMPLING, strategy: "uniform" }, () => rate));
        let records = 0;
        for (let done = 0; done < runs; done += 10_000) {
          program.run(context, { repeat: 10_000 });
          records += ring.consume(() => {});
        }
        const now = table.totals().reduce((sum, { seen, kept }) => ({
          seen: sum.seen + seen,
          kept: sum.kept + kept,
        }));
        const [seen, kept] = [now.seen - before.seen, now.kept - before.kept];
        before = now;
        expect({ rate, seen, kept }).toEqual({ rate, seen: runs, kept: records });
        const deviation = Math.sqrt(runs * rate * (1 - rate));
        const z = rate === 1 ? kept - runs : (kept - runs * rate) / deviation;
        expect(Math.abs(z), `rate ${rate}: ${kept} of ${runs} kept, z = ${z}`).toBeLessThan(5);
        // The estimate of the total, 1/π for each, against the exact counter: the same z.
        const estimate = kept / rate;
        expect(Math.abs(estimate - seen) * rate).toBeLessThan(5 * Math.max(deviation, 0.5));
      }
      ring.close();
      object.close();
    }));
});
