/**
 * What wake-ups in batches save, on this kernel: a run that delivers some 10,000 events/s, woken for every event or by
 * watermark and deadline, in turns. The run is a process of its own; its context switches are those that /proc counts,
 * its system calls those that the collector itself counts from outside. How long events wait in the ring is looked at in a
 * further run, by its reader.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RecordBatch } from "#core/backend.ts";
import { configSchema } from "#core/config/config.ts";
import { COLLECTORS } from "#core/events/collectors.ts";
import type { EventSchema } from "#core/events/event_schema.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { KernelBackend } from "#kernel/backend.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { runKernel } from "../cli/run/kernel.ts";
import type { RunReport } from "../cli/run/report.ts";
import { type Bench, machine, median } from "./bench.ts";
import { requireKernel } from "./require_kernel.ts";

const EVENTS_PER_S = 10_000;
const ROUND_MS = 5000;
const WARM_UP_MS = 2000;
const DELAYS_MS = 20_000;
const DEADLINE_MS = 20;

const MODES = {
  every: { wakeup_bytes: 1, wakeup_deadline_ms: DEADLINE_MS },
  batched: { wakeup_bytes: 1 << 20, wakeup_deadline_ms: DEADLINE_MS },
} as const;

/** Holds the run at that many events a second. */
const LIMITS = { per_program: { events_per_s: EVENTS_PER_S, burst: 10 } };

/** Time from an event to the reader that takes it out of the ring. */
class DelaySink implements Sink {
  readonly name = "delays";
  readonly #begun_ms = performance.now();
  events = 0;
  late = 0;
  longest_ns = 0;
  /** Of events while programs attach, which takes the kernel milliseconds, and while V8 compiles the reader. */
  longestAtStart_ns = 0;

  write({ view, offsets, count }: RecordBatch, { header }: EventSchema): void {
    // The clock of events is this one: CLOCK_MONOTONIC.
    const now_ns = Number(process.hrtime.bigint());
    const starting = performance.now() - this.#begun_ms < WARM_UP_MS;
    for (let i = 0; i < count; i++) {
      const delay_ns = now_ns - header.timestamp_ns(view, offsets[i]!);
      if (starting) {
        this.longestAtStart_ns = Math.max(this.longestAtStart_ns, delay_ns);
        continue;
      }
      this.events++;
      if (delay_ns > DEADLINE_MS * 1e6) this.late++;
      this.longest_ns = Math.max(this.longest_ns, delay_ns);
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Prints the longest time between two looks of a process that only looks as often as the reader does. */
const BARE_TIMER = `
  let [last, longest] = [performance.now(), 0];
  setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }, ${DEADLINE_MS / 2});
  process.on("SIGTERM", () => {
    console.log(longest);
    process.exit();
  });
`;

/** Delays with the watermark: the deadline is what bounds them. Beside them, what this machine does to any timer. */
async function measureDelays() {
  const sink = new DelaySink();
  const load = startLoad();
  const timer = spawn(process.execPath, ["-e", BARE_TIMER], { stdio: ["ignore", "pipe", 2] });
  let longestLook_ms = "";
  timer.stdout!.on("data", (chunk) => (longestLook_ms += chunk));
  try {
    await runKernel({
      collectors: [COLLECTORS.get("syscall")!],
      sinks: [sink],
      config: configSchema.parse({
        collectors: ["syscall"],
        rings: MODES.batched,
        rate_limits: LIMITS,
      }),
      duration_s: (WARM_UP_MS + DELAYS_MS) / 1000,
    });
    timer.kill("SIGTERM");
    await once(timer, "close");
  } finally {
    load.kill("SIGKILL");
    timer.kill("SIGKILL");
  }
  return {
    bare_timer_longest_look_ms: Number(longestLook_ms),
    delays_of_events: sink.events,
    longest_delay_ms: sink.longest_ns / 1e6,
    longest_delay_at_start_ms: sink.longestAtStart_ns / 1e6,
    late_fraction: sink.events === 0 ? 0 : sink.late / sink.events,
    within_deadline: sink.events > 0 && sink.late === 0,
  };
}

interface Cost {
  readonly switches_per_event: number;
  readonly calls_per_event: number;
  readonly events_per_s: number;
}

/** Voluntary and other switches of all threads. */
function switchesOf(pid: number): number {
  let switches = 0;
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    const status = readFileSync(`/proc/${pid}/task/${tid}/status`, "utf8");
    for (const [, count] of status.matchAll(/ctxt_switches:\s+(\d+)/g)) switches += Number(count);
  }
  return switches;
}

/** Counts system calls of one process, in the kernel. */
function openCounter(backend: KernelBackend, pid: number) {
  const object = backend.open(readFileSync("build/bpf/syscall_monitor.bpf.o"), {
    constants: { only_pid: pid },
    programs: ["syscall_exit"],
  });
  object.load();
  const link = object.programs.get("syscall_exit")!.attach();
  const ring = object.maps.get("events")!.ring();
  let calls = 0;
  return {
    calls(): number {
      calls += ring.consume(() => {});
      return calls;
    },
    close(): void {
      link.close();
      ring.close();
      object.close();
    },
  };
}

function startLoad(): ChildProcess {
  return spawn("nice", ["-n", "10", "dd", "if=/dev/zero", "of=/dev/null", "bs=1"], {
    stdio: "ignore",
  });
}

async function measure(
  backend: KernelBackend,
  folder: string,
  mode: keyof typeof MODES,
): Promise<Cost> {
  const config = join(folder, `${mode}.yaml`);
  writeFileSync(
    config,
    JSON.stringify({ collectors: ["syscall"], rings: MODES[mode], rate_limits: LIMITS }),
  );
  const main = join(import.meta.dirname, "../cli/main.ts");
  const socket = join(folder, `${mode}.sock`);
  const options = ["--backend", "kernel", "--config", config, "--socket", socket, "-o", "json"];
  const run = spawn(process.execPath, [main, "run", ...options], { stdio: ["ignore", "pipe", 2] });
  const load = startLoad();
  let out = "";
  run.stdout!.on("data", (chunk) => (out += chunk));
  try {
    while (!existsSync(socket) && run.exitCode === null) await sleep(20);
    await sleep(WARM_UP_MS);
    const counter = openCounter(backend, run.pid!);
    const before = { switches: switchesOf(run.pid!), at_ms: performance.now() };
    const end_ms = before.at_ms + ROUND_MS;
    while (performance.now() < end_ms) {
      counter.calls();
      await sleep(20);
    }
    const elapsed_s = (performance.now() - before.at_ms) / 1000;
    const switches = switchesOf(run.pid!) - before.switches;
    const calls = counter.calls();
    counter.close();
    run.kill("SIGTERM");
    await once(run, "close");
    const { books, elapsed_s: whole_s } = JSON.parse(out) as RunReport;
    const events_per_s = books.delivered / whole_s;
    const events = events_per_s * elapsed_s;
    return { switches_per_event: switches / events, calls_per_event: calls / events, events_per_s };
  } finally {
    load.kill("SIGKILL");
    run.kill("SIGKILL");
  }
}

const middle = (costs: readonly Cost[], name: keyof Cost): number =>
  median(costs.map((cost) => cost[name]));

export const wakeupsBench: Bench = {
  rounds: 3,
  async run({ rounds }) {
    requireKernel("bench wakeups");
    const backend = createKernelBackend();
    const folder = mkdtempSync(join(tmpdir(), "tapio-wakeups-"));
    const costs = { every: [] as Cost[], batched: [] as Cost[] };
    try {
      for (let round = 0; round < rounds; round++) {
        for (const mode of ["every", "batched"] as const) {
          costs[mode].push(await measure(backend, folder, mode));
        }
      }
    } finally {
      backend.close();
      rmSync(folder, { recursive: true });
    }
    const delays = await measureDelays();
    const summary = (list: readonly Cost[]): Cost => ({
      switches_per_event: middle(list, "switches_per_event"),
      calls_per_event: middle(list, "calls_per_event"),
      events_per_s: middle(list, "events_per_s"),
    });
    const [every, batched] = [summary(costs.every), summary(costs.batched)];
    const spent = ({ switches_per_event, calls_per_event }: Cost) =>
      switches_per_event + calls_per_event;
    return {
      wakeups: { saved_fraction: 1 - spent(batched) / spent(every) },
      switches_saved: 1 - batched.switches_per_event / every.switches_per_event,
      calls_saved: 1 - batched.calls_per_event / every.calls_per_event,
      every,
      batched,
      deadline_ms: DEADLINE_MS,
      ...delays,
      rounds,
      method:
        "context switches (/proc) and system calls (counted in the kernel) of a run, by delivered event; medians over rounds; delays from time stamp to reader, of 20 s with the watermark after 2 s at the start, to the end of the run; bare timer: a process that does nothing but look every 10 ms, at the same time",
      machine: machine(),
    };
  },
};
