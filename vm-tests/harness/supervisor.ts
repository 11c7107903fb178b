/**
 * A process that runs QEMU and watches it, because the tests wait for answers synchronously and see
 * nothing meanwhile. It ends QEMU when the kernel complains, when the deadline is over, when a request
 * stays without an answer, and when whoever started it is gone.
 *
 * usage: node supervisor.ts JSON, where JSON is a `Supervision`; prints an `Ending` as JSON.
 */

import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { type Ending, endingOf, splatOf } from "./console.ts";
import { SHARED } from "./guest_kernel.ts";

export interface Supervision {
  readonly qemu: readonly string[];
  readonly console: string;
  /** All that the guest may take, in seconds. */
  readonly deadline_s: number;
  /** What one request may take, in seconds. */
  readonly answer_s: number;
  /** The file shared with a serving guest. */
  readonly memory?: string;
}

const POLL_MS = 250;

function watch(supervision: Supervision): void {
  const { console: log, deadline_s, answer_s, memory } = supervision;
  const qemu = spawn("qemu-system-x86_64", supervision.qemu, {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let verdict: Ending | undefined;
  const stop = (ending: Ending) => {
    verdict ??= ending;
    qemu.kill("SIGKILL");
  };
  const started_ms = performance.now();
  const shared = memory === undefined ? undefined : openSync(memory, "r+");
  const watchAnswers = shared === undefined ? () => 0 : answerWatch(shared);
  const poll = setInterval(() => {
    const text = existsSync(log) ? readFileSync(log, "latin1") : "";
    const line = splatOf(text);
    if (line !== undefined) stop({ kind: "splat", line });
    const waited_s = (performance.now() - started_ms) / 1000;
    if (waited_s > deadline_s) stop({ kind: "deadline", waited_s: deadline_s });
    if (watchAnswers() > answer_s * 1000) stop({ kind: "deadline", waited_s: answer_s });
  }, POLL_MS);
  // Standard input ends with the process that started this one.
  process.stdin.on("end", () => qemu.kill("SIGKILL")).resume();
  qemu.on("error", (error) => {
    process.stderr.write(`qemu-system-x86_64: ${error.message}\n`);
    process.exit(1);
  });
  qemu.on("close", () => {
    clearInterval(poll);
    const ending = verdict ?? endingOf(existsSync(log) ? readFileSync(log, "latin1") : "");
    process.stdout.write(JSON.stringify(ending));
    // Whoever waits for an answer waits no longer.
    if (shared !== undefined) writeSync(shared, Uint32Array.of(1), 0, 4, 4 * SHARED.ended);
    process.stdin.destroy();
  });
}

/** Answers for how many milliseconds the same request has been waiting. */
function answerWatch(shared: number): () => number {
  const counts = new Uint32Array(SHARED.counts);
  let waiting = 0;
  let since_ms = performance.now();
  return () => {
    readSync(shared, counts, 0, counts.byteLength, 0);
    const [requests, responses] = counts as unknown as [number, number];
    if (requests === responses || requests !== waiting) since_ms = performance.now();
    waiting = requests;
    return performance.now() - since_ms;
  };
}

watch(JSON.parse(process.argv[2]!) as Supervision);
