/** Coverage in a few lines for people: by file, how much ran, and what did not. */
import type { Coverage, FileCoverage } from "./coverage.ts";

/** `bpf/a.h 7 of 9 lines, 3 of 4 branch ways; never: 12, 15-17`, one for each file. */
export function summaryLines(coverage: Coverage): string[] {
  return [...coverage.files].map(([path, file]) => `${path} ${summarise(file)}`);
}

function summarise(file: FileCoverage): string {
  const counts = [...file.lines.values()];
  const branches = [...file.branches];
  const ran = counts.filter((count) => count > 0).length;
  const went = branches.filter(({ taken }) => (taken ?? 0) > 0).length;
  const never = neverRun(file);
  const missing = never === "" ? "" : `; never: ${never}`;
  return `${ran} of ${counts.length} lines, ${went} of ${branches.length} branch ways${missing}`;
}

/** Lines with code that never ran; a stretch of them, with nothing that ran between, as `from-to`. */
function neverRun(file: FileCoverage): string {
  const stretches: { from: number; to: number }[] = [];
  let open = false;
  for (const [line, count] of [...file.lines].sort(([left], [right]) => left - right)) {
    if (count > 0) open = false;
    else if (open) stretches.at(-1)!.to = line;
    else {
      stretches.push({ from: line, to: line });
      open = true;
    }
  }
  return stretches.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(", ");
}
