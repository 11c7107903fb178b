/** Rate limits on the running kernel, with every CPU hammering. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { COLLECTORS } from "#core/events/collectors.ts";
import { createEventSchema } from "#core/events/event_schema.ts";
import { admittedAtMost } from "#core/rate_limits/compile_limit.ts";
import { RateLimitTable } from "#core/rate_limits/rate_limit_table.ts";
import { describeNative, withBackend } from "./native.ts";

const SYSCALL = COLLECTORS.get("syscall")!;
/** The burst is 100 ms of the rate: for so long other processes may have all CPUs, and nothing is lost of it. */
const LIMIT = { events_per_s: 20_000, burst: 2000 };
const DURATION_MS = 2000;

/** The largest excess over the bound of any window, in events; windows by two ends that move. */
function largestExcess(times_ns: Float64Array): number {
  // count(i..j) - rate * (t_j - t_i) is greatest where g(j) - g(i) is, with g(k) = k - rate * t_k.
  let least = Number.POSITIVE_INFINITY;
  let excess = Number.NEGATIVE_INFINITY;
  times_ns.forEach((time_ns, k) => {
    const g = k - (LIMIT.events_per_s * (time_ns - times_ns[0]!)) / 1e9;
    least = Math.min(least, g);
    excess = Math.max(excess, g - least + 1);
  });
  return excess - admittedAtMost(LIMIT, 0, cpus().length);
}

describeNative("rate limits", () => {
  it("hold in every window, and give all of the rate, with every CPU hammering", () =>
    withBackend(async (backend) => {
      const object = backend.open(readFileSync(`build/bpf/${SYSCALL.object}`), {
        constants: { excluded_pid: backend.processId() },
      });
      object.load();
      new RateLimitTable(object).publish({ per_program: LIMIT });
      const { header } = createEventSchema(object.btf, SYSCALL);
      const ring = object.maps.get("events")!.ring();
      const times: number[] = [];
      const drain = (): void => {
        ring.consume(({ view, offsets, count }) => {
          for (let i = 0; i < count; i++) times.push(header.timestamp_ns(view, offsets[i]!));
        });
      };
      const load = cpus().map(() =>
        spawn("dd", ["if=/dev/zero", "of=/dev/null", "bs=1"], { stdio: "ignore" }),
      );
      const links = [...object.programs.values()].map((program) => program.attach());
      const end_ms = performance.now() + DURATION_MS;
      while (performance.now() < end_ms) {
        drain();
        await sleep(5);
      }
      for (const link of links) link.close();
      for (const child of load) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      drain();
      ring.close();
      object.close();
      const sorted = Float64Array.from(times).sort();
      expect(largestExcess(sorted)).toBeLessThanOrEqual(0);
      const span_s = (sorted.at(-1)! - sorted[0]!) / 1e9;
      const admitted = (sorted.length - LIMIT.burst) / span_s;
      expect(admitted).toBeGreaterThan(0.99 * LIMIT.events_per_s);
    }));
});
