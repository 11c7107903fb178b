/** Coverage in lcov's tracefile format (the man page of geninfo), which every viewer reads. */
import { BpfError } from "#core/errors.ts";
import { type BranchCount, Coverage, type FileCoverage } from "./coverage.ts";

export function formatLcov(coverage: Coverage): string {
  return [...coverage.files].map(([path, file]) => formatFile(path, file)).join("");
}

function formatFile(path: string, file: FileCoverage): string {
  const functions = [...file.functions].sort(([, left], [, right]) => left.line - right.line);
  const branches = [...file.branches].sort(
    (left, right) =>
      left.line - right.line || left.block - right.block || left.branch - right.branch,
  );
  const lines = [...file.lines].sort(([left], [right]) => left - right);
  const hit = (counts: readonly (number | undefined)[]): number =>
    counts.filter((count) => count !== undefined && count > 0).length;
  const rows = [
    "TN:",
    `SF:${path}`,
    ...functions.map(([name, { line }]) => `FN:${line},${name}`),
    ...functions.map(([name, { count }]) => `FNDA:${count},${name}`),
    `FNF:${functions.length}`,
    `FNH:${hit(functions.map(([, { count }]) => count))}`,
    ...branches.map(formatBranch),
    `BRF:${branches.length}`,
    `BRH:${hit(branches.map(({ taken }) => taken))}`,
    ...lines.map(([line, count]) => `DA:${line},${count}`),
    `LF:${lines.length}`,
    `LH:${hit(lines.map(([, count]) => count))}`,
    "end_of_record",
  ];
  return `${rows.join("\n")}\n`;
}

function formatBranch({ line, block, branch, taken }: BranchCount): string {
  return `BRDA:${line},${block},${branch},${taken ?? "-"}`;
}

/** Reads what `formatLcov` writes. Throws `BpfError` naming the line that is none of that. */
export function parseLcov(text: string, name = "coverage"): Coverage {
  const coverage = new Coverage();
  let file: FileCoverage | undefined;
  let starts = new Map<string, number>();
  text.split("\n").forEach((row, index) => {
    const [, key, rest = ""] = /^(\w+):?(.*)$/.exec(row) ?? [];
    const fields = rest.split(",");
    const numbers = fields.map(Number);
    const good =
      key === undefined
        ? row === ""
        : key === "SF" || file !== undefined || key === "TN" || key === "end_of_record";
    if (!good || !FIELDS.test(row)) {
      throw new BpfError(`read ${name}`, `line ${index + 1} is no line of lcov: ${row}`);
    }
    if (key === "SF") {
      file = coverage.file(rest);
      starts = new Map();
    } else if (key === "FN") starts.set(fields[1]!, numbers[0]!);
    else if (key === "FNDA")
      file!.addFunction(fields[1]!, starts.get(fields[1]!) ?? 0, numbers[0]!);
    else if (key === "DA") file!.addLine(numbers[0]!, numbers[1]!);
    else if (key === "BRDA") {
      const [line, block, branch, taken] = numbers as [number, number, number, number];
      file!.addBranch({ line, block, branch, taken: fields[3] === "-" ? undefined : taken });
    } else if (key === "end_of_record") file = undefined;
  });
  return coverage;
}

const FIELDS =
  /^(?:|TN:.*|SF:.+|FN:\d+,[^,]+|FNDA:\d+,[^,]+|(?:FNF|FNH|BRF|BRH|LF|LH):\d+|DA:\d+,\d+|BRDA:\d+,\d+,\d+,(?:\d+|-)|end_of_record)$/;
