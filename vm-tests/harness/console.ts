/** What a guest's console says about how it went. */

/** How a guest ended. Only `exited` is the guest's own word. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  /** The kernel complained: panic, oops, lockup, stall. */
  | { readonly kind: "splat"; readonly line: string }
  /** The guest was still running, or had not answered, when its time was over. */
  | { readonly kind: "deadline"; readonly waited_s: number }
  /** The machine stopped without a word. */
  | { readonly kind: "silent" };

const SPLATS: readonly RegExp[] = [
  /Kernel panic/,
  /\bBUG: /,
  /\bOops: /,
  /general protection fault/,
  /watchdog: BUG/,
  /\brcu: INFO: \S+ (self-)?detected stalls?/,
  /INFO: task .* blocked for more than/,
  /\bWARNING: (CPU|kernel|net|mm|lib)/,
  /Out of memory: Killed process/,
];

/**
 * Warnings about a program, not of a broken kernel; the message stands in the line before.
 * The verifier of older kernels disapproves of tracing programs that use maps with BPF_F_NO_PREALLOC.
 */
const ADVICE = /trace type BPF program uses run-time allocation/;

/** The first line in which the kernel complains. */
export function splatOf(log: string): string | undefined {
  const all = lines(log);
  return all.find(
    (line, index) =>
      SPLATS.some((pattern) => pattern.test(line)) && !ADVICE.test(all[index - 1] ?? ""),
  );
}

/** The exit code that the guest's first process announced last. */
export function exitCodeOf(log: string): number | undefined {
  const codes = lines(log).flatMap((line) => /^tapio-guest: exit (\d+)$/.exec(line)?.[1] ?? []);
  return codes.length === 0 ? undefined : Number(codes.at(-1));
}

/** Release and number of CPUs that a serving guest announced. */
export function readinessOf(log: string): { release: string; cpus: number } | undefined {
  for (const line of lines(log)) {
    const match = /^tapio-guest: ready (\S+) (\d+)$/.exec(line);
    if (match !== null) return { release: match[1]!, cpus: Number(match[2]) };
  }
  return undefined;
}

/** Exit of a stopped machine, judged from its console; a complaint outweighs an exit code. */
export function endingOf(log: string): Ending {
  const line = splatOf(log);
  if (line !== undefined) return { kind: "splat", line };
  const code = exitCodeOf(log);
  return code === undefined ? { kind: "silent" } : { kind: "exited", code };
}

/** One line on what went wrong, or undefined where the guest ended with 0. */
export function problemOf(ending: Ending): string | undefined {
  switch (ending.kind) {
    case "exited":
      return ending.code === 0 ? undefined : `the guest ended with exit code ${ending.code}`;
    case "splat":
      return `the guest's kernel complained: ${ending.line}`;
    case "deadline":
      return `the guest was stopped after ${ending.waited_s} s without an end`;
    case "silent":
      return "the guest stopped without saying how it went";
  }
}

function lines(log: string): string[] {
  return log.split(/\r?\n/).map((line) => line.replace(/\r/g, ""));
}
