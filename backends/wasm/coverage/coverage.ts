/**
 * Coverage of source lines, functions and branches: what many runs of many programs add up to.
 *
 * A line's count is that of its most often executed instruction, in each function that holds it, summed
 * over functions and programs: code that is inlined twice into one function counts once. A branch
 * is a conditional jump of the compiled code; branch 0 goes on, branch 1 jumps, whichever way the
 * source says it.
 */
import type { LinkedProgram, Subprogram } from "#wasm/loader/linked_program.ts";
import type { InstructionCounts } from "./block_counts.ts";

export interface FunctionCount {
  readonly line: number;
  count: number;
}

export interface BranchCount {
  readonly line: number;
  /** The jump's slot in its function. */
  readonly block: number;
  readonly branch: number;
  /** Undefined: the jump itself was never reached. */
  taken: number | undefined;
}

export class FileCoverage {
  readonly lines = new Map<number, number>();
  readonly functions = new Map<string, FunctionCount>();
  readonly #branches = new Map<string, BranchCount>();

  get branches(): Iterable<BranchCount> {
    return this.#branches.values();
  }

  addLine(line: number, count: number): void {
    this.lines.set(line, (this.lines.get(line) ?? 0) + count);
  }

  addFunction(name: string, line: number, count: number): void {
    const known = this.functions.get(name);
    if (known === undefined) this.functions.set(name, { line, count });
    else known.count += count;
  }

  merge(other: FileCoverage): void {
    for (const [line, count] of other.lines) this.addLine(line, count);
    for (const [name, { line, count }] of other.functions) this.addFunction(name, line, count);
    for (const branch of other.branches) this.addBranch(branch);
  }

  addBranch({ line, block, branch, taken }: BranchCount): void {
    const key = `${line},${block},${branch}`;
    const known = this.#branches.get(key);
    if (known === undefined) this.#branches.set(key, { line, block, branch, taken });
    else if (taken !== undefined) known.taken = (known.taken ?? 0) + taken;
  }
}

export class Coverage {
  readonly #files = new Map<string, FileCoverage>();

  /** By path, in order. */
  get files(): ReadonlyMap<string, FileCoverage> {
    return new Map([...this.#files].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  file(path: string): FileCoverage {
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    const file = new FileCoverage();
    this.#files.set(path, file);
    return file;
  }

  /** Adds what another one counted. */
  merge(other: Coverage): void {
    for (const [path, file] of other.#files) this.file(path).merge(file);
  }

  /** A copy whose files are called what `rename` says; undefined leaves a file out. */
  renamed(rename: (path: string) => string | undefined): Coverage {
    const copy = new Coverage();
    for (const [path, file] of this.#files) {
      const name = rename(path);
      if (name !== undefined) copy.file(name).merge(file);
    }
    return copy;
  }

  /** Adds the runs of a program. Code without source lines adds nothing. */
  addProgram(program: LinkedProgram, counts: InstructionCounts): void {
    for (const one of program.subprograms) this.#addFunction(program, one, counts);
  }

  #addFunction(program: LinkedProgram, one: Subprogram, counts: InstructionCounts): void {
    const { start, length, name } = one;
    const end = start + length;
    const lines = program.lines.filter(({ slot }) => slot >= start && slot < end);
    const most = new Map<string, { file: string; line: number; count: number }>();
    lines.forEach(({ file, line, slot }, index) => {
      const key = `${file}:${line}`;
      let { count } = most.get(key) ?? { count: 0 };
      for (let at = slot; at < (lines[index + 1]?.slot ?? end); at++) {
        count = Math.max(count, counts.executed[at]!);
      }
      most.set(key, { file, line, count });
    });
    for (const { file, line, count } of most.values()) this.file(file).addLine(line, count);
    const [first] = lines;
    if (first === undefined) return;
    this.file(first.file).addFunction(name, first.line, counts.executed[start]!);
    for (const { slot, taken, notTaken } of counts.jumps) {
      const at = lines.findLast((entry) => entry.slot <= slot);
      if (slot < start || slot >= end || at === undefined) continue;
      const reached = taken + notTaken > 0;
      const { file, line } = at;
      const block = slot - start;
      this.file(file).addBranch({ line, block, branch: 0, taken: reached ? notTaken : undefined });
      this.file(file).addBranch({ line, block, branch: 1, taken: reached ? taken : undefined });
    }
  }
}
