/**
 * Conformance cases as text, in the `.data` format of the public eBPF conformance suites: sections
 * headed `-- asm`, `-- mem`, `-- raw`, `-- result`, `-- error`; `#` starts a comment.
 *
 * A comment line `# kernel: rejects, REASON` says that Linux refuses a program to which the
 * specification gives a meaning; `# kernel: accepts, REASON`, that it runs one that must be refused.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assemble } from "#property-tests/isa/assembler.ts";

export interface IsaCase {
  /** Path below the folder of cases, without `.data` (`"base64/add-imm"`). */
  readonly name: string;
  /** What r1 points to; r2 is its length. Empty: no memory. */
  readonly memory: Uint8Array;
  readonly program: Uint8Array;
  /** r0 at the end, or that the program must be refused (at load, or while it runs). */
  readonly expected: { readonly r0: bigint } | { readonly error: string };
  /** Why Linux does the opposite (see above); undefined where it does what is expected. */
  readonly kernelDiffers: string | undefined;
}

/** A file that is no case; the message names file and line. */
export class CaseFileError extends Error {
  constructor(name: string, line: number, problem: string) {
    super(`${name}.data:${line}: ${problem}`);
    this.name = "CaseFileError";
  }
}

interface Line {
  readonly number: number;
  readonly text: string;
}

type Section = "asm" | "mem" | "raw" | "result" | "error" | "ignored";

/** Longest first: a heading selects the first name that it contains. */
const HEADINGS: readonly (readonly [string, Section])[] = [
  ["no register offset", "ignored"],
  ["result", "result"],
  ["error", "error"],
  ["asm", "asm"],
  ["mem", "mem"],
  ["raw", "raw"],
  ["c", "ignored"],
];

/** Parses one file. Throws `CaseFileError`. */
export function parseCase(name: string, text: string): IsaCase {
  const sections = splitSections(name, text);
  const program = parseProgram(name, sections);
  const result = sections.get("result")?.at(-1);
  const error = sections.get("error");
  if ((result === undefined) === (error === undefined)) {
    throw new CaseFileError(name, 1, "needs a result or an error section, not both");
  }
  return {
    name,
    memory: Uint8Array.from((sections.get("mem") ?? []).flatMap((line) => hexBytes(name, line))),
    program,
    expected:
      result === undefined
        ? { error: error?.at(-1)?.text ?? "" }
        : { r0: BigInt.asUintN(64, parseWord(name, result, result.text)) },
    kernelDiffers: kernelDiffers(text, result === undefined ? "accepts" : "rejects"),
  };
}

/** Every case below `folder`, in order of name. */
export function readCases(folder: string): IsaCase[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".data"))
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) =>
      parseCase(path.slice(0, -".data".length), readFileSync(join(folder, path), "utf8")),
    );
}

function kernelDiffers(text: string, how: "accepts" | "rejects"): string | undefined {
  return new RegExp(`^# kernel: ${how}, (.*)$`, "m").exec(text)?.[1]?.trim();
}

function splitSections(name: string, text: string): Map<Section, Line[]> {
  const sections = new Map<Section, Line[]>();
  let lines: Line[] | undefined;
  text
    .replaceAll("\r", "")
    .split("\n")
    .forEach((raw, index) => {
      const line = { number: index + 1, text: (raw.split("#")[0] ?? "").trim() };
      if (line.text === "") return;
      if (line.text.includes("--")) {
        const heading = HEADINGS.find(([word]) => line.text.includes(word));
        if (heading === undefined) {
          throw new CaseFileError(name, line.number, `no section is called ${line.text}`);
        }
        lines = [];
        sections.set(heading[1], lines);
      } else if (lines === undefined) {
        throw new CaseFileError(name, line.number, "text before the first section");
      } else {
        lines.push(line);
      }
    });
  return sections;
}

function parseProgram(name: string, sections: Map<Section, Line[]>): Uint8Array {
  const text = sections.get("asm");
  const raw = sections.get("raw");
  const assembled = text === undefined ? undefined : assembleSection(name, text);
  const words = raw === undefined ? undefined : Uint8Array.from(raw.flatMap(rawBytes(name)));
  if (assembled !== undefined && words !== undefined && !equalBytes(assembled, words)) {
    throw new CaseFileError(name, raw?.[0]?.number ?? 1, "the raw words are not what asm gives");
  }
  const program = assembled ?? words;
  if (program === undefined) throw new CaseFileError(name, 1, "needs an asm or a raw section");
  return program;
}

function assembleSection(name: string, lines: readonly Line[]): Uint8Array {
  const padded: string[] = [];
  for (const line of lines) padded[line.number - 1] = line.text;
  try {
    return assemble(Array.from(padded, (line) => line ?? "").join("\n"));
  } catch (error) {
    throw new CaseFileError(name, (error as { line?: number }).line ?? 1, (error as Error).message);
  }
}

/** Eight pairs of hex digits are the bytes of a slot; anything else is 64-bit words. */
function rawBytes(name: string): (line: Line) => number[] {
  return (line) => {
    if (/^([0-9a-fA-F]{2}\s+){7}[0-9a-fA-F]{2}$/.test(line.text)) return hexBytes(name, line);
    return line.text.split(/\s+/).flatMap((text) => {
      const word = parseWord(name, line, text);
      return Array.from({ length: 8 }, (_, index) => Number((word >> BigInt(index * 8)) & 0xffn));
    });
  };
}

function hexBytes(name: string, line: Line): number[] {
  return line.text.split(/\s+/).map((text) => {
    if (/^[0-9a-fA-F]{1,2}$/.test(text)) return Number.parseInt(text, 16);
    throw new CaseFileError(name, line.number, `${text} is no byte in hex`);
  });
}

function parseWord(name: string, line: Line, text: string): bigint {
  if (!/^(0x[0-9a-fA-F]+|\d+)$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new CaseFileError(name, line.number, `${text} is no unsigned 64-bit number`);
  }
  return BigInt(text);
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
