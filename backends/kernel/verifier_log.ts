/**
 * What libbpf and the verifier said, made short: the line that matters stands in the message, the
 * whole log on the error.
 */

/** A program that the kernel refused. */
export interface RefusedProgram {
  readonly program: string;
  /** The verifier's log; empty where the kernel wrote none. */
  readonly log: string;
}

const REFUSED = /^libbpf: prog '([^']+)': (?:BPF program load failed|failed to load)/m;
const BEGIN = /^(?:libbpf: )?prog '[^']+': -- BEGIN PROG LOAD LOG --\n/m;
const END = /^-- END PROG LOAD LOG --/m;

/** The refused program in libbpf's output of a load; undefined where it names none. */
export function refusedProgram(output: string): RefusedProgram | undefined {
  const program = REFUSED.exec(output)?.[1];
  if (program === undefined) return undefined;
  const begin = BEGIN.exec(output);
  if (begin === null) return { program, log: "" };
  const rest = output.slice(begin.index + begin[0].length);
  const end = END.exec(rest);
  return { program, log: end === null ? rest : rest.slice(0, end.index) };
}

/** Lines that end every log and explain nothing. */
const STATISTICS =
  /^(?:processed \d+ insns|verification time|stack depth|mark_precise:|insns processed)/;

/**
 * The last line of a log that says something, and how many others there are: `"R0 invalid mem access
 * 'scalar' (14 lines omitted)"`. Empty for an empty log.
 */
export function summarizeLog(log: string): string {
  const lines = log
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const useful = statedReason(lines) ?? lines.findLast((line) => !STATISTICS.test(line));
  if (useful === undefined) return "";
  const omitted = lines.length - 1;
  return omitted === 0 ? useful : `${useful} (${omitted} line${omitted === 1 ? "" : "s"} omitted)`;
}

/** Linux 7 ends a log with an explanation in sections; what it gives as the reason. */
function statedReason(lines: readonly string[]): string | undefined {
  const heading = lines.lastIndexOf("Reason:");
  return heading < 0 ? undefined : lines[heading + 1];
}

/** Lines that only repeat that it failed, or guess wrongly at why. */
const SAYS_NOTHING =
  /failed to load (?:object|BPF skeleton)|: failed to load: |try raising 'ulimit/;

/** The last thing libbpf said, without its prefix; empty where it was silent. */
export function lastWarning(output: string): string {
  const lines = output.split("\n").filter((line) => line.startsWith("libbpf: "));
  const telling = lines.findLast((line) => !SAYS_NOTHING.test(line));
  return (telling ?? lines.at(-1) ?? "").replace(/^libbpf: /, "").trim();
}
