/**
 * Programs for the tests of accesses that need no check. Notes behind `#` say what a line is:
 *
 *     lddw %r1, 0          # map NAME         the map's address
 *     lddw %r1, 0          # value NAME+4     the address of byte 4 of the map's first value
 *     lddw %r2, 0          # function LABEL   a callback, which starts at the label
 *     ldxdw %r0, [%r7]     # faults           where the run is to end
 *     ldxdw %r0, [%r7]     # safe             needs no check
 */
import { ProgramFault } from "#core/errors.ts";
import { type AccessFindings, analyseAccesses } from "#wasm/engines/access_analysis.ts";
import type { Engine } from "#wasm/engines/engine.ts";
import { takeApart } from "#wasm/engines/function_code.ts";
import { resolveData } from "#wasm/engines/references.ts";
import type { Named } from "#wasm/engines/register_flow.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram, Reference } from "#wasm/loader/linked_program.ts";
import type { WasmMap } from "#wasm/map.ts";
import { createInstance, link, loadProgram, useEngine } from "../../../../wasm/program_fixture.ts";

export type Maps = Readonly<Record<string, WasmMap>>;

/** The value of the map's key 0 into r0. */
export const lookUp = (map: string): string => `
  stdw [%r10-8], 0
  mov %r2, %r10
  add %r2, -8
  lddw %r1, 0  # map ${map}
  call 1`;

interface Line {
  readonly slot: number;
  readonly note: string;
}

/** The lines that are instructions, and where labels stand. */
function notedLines(text: string): { lines: Line[]; labels: ReadonlyMap<string, number> } {
  const lines: Line[] = [];
  const labels = new Map<string, number>();
  let slot = 0;
  for (const line of text.split("\n")) {
    const [code = "", note = ""] = line.split("#").map((part) => part.trim());
    if (code === "") continue;
    if (code.endsWith(":")) {
      labels.set(code.slice(0, -1), slot);
      continue;
    }
    lines.push({ slot, note });
    slot += code.startsWith("lddw") ? 2 : 1;
  }
  return { lines, labels };
}

function slotsNoted(text: string, wanted: string): number[] {
  const { lines } = notedLines(text);
  return lines.filter(({ note }) => note === wanted).map(({ slot }) => slot);
}

/** Assembles the text, with a reference for every line that notes one. */
export function linkNoted(text: string): LinkedProgram {
  const { lines, labels } = notedLines(text);
  const references: Reference[] = [];
  for (const { slot, note } of lines) {
    const [kind, name = ""] = note.split(" ");
    if (kind === "map") references.push({ kind, slot, map: name });
    if (kind === "function") references.push({ kind, slot, target: labels.get(name)! });
    if (kind !== "value") continue;
    const [map = "", offset = "0"] = name.split("+");
    references.push({ kind: "map_value", slot, map, offset: Number(offset) });
  }
  const functions = references.flatMap((one) => (one.kind === "function" ? [one.target] : []));
  return link(text, references, functions);
}

/** What becomes of a run: r0, or the slot where it faults. */
export type Outcome = bigint | { readonly faultAt: number };

export function outcomeOf(instance: RuntimeInstance, handle: number, context = 0): Outcome {
  try {
    instance.run(handle, context);
    return instance.result64;
  } catch (error) {
    if (!(error instanceof ProgramFault)) throw error;
    return { faultAt: error.location?.instruction ?? -1 };
  }
}

/** What the notes want: a fault at the line that is marked, else `result`. */
export function wantedOutcome(text: string, result = 0n): Outcome {
  const [faultAt] = slotsNoted(text, "faults");
  return faultAt === undefined ? result : { faultAt };
}

export interface World {
  readonly instance: RuntimeInstance;
  readonly maps: Maps;
}

/** Runs the text on a machine of its own. r1 points to eight bytes of zeroes. */
export async function runNoted(
  engine: Engine,
  text: string,
  prepare: (instance: RuntimeInstance) => Maps = () => ({}),
): Promise<Outcome> {
  useEngine(engine);
  const instance = await createInstance();
  const program = loadProgram(instance, linkNoted(text), prepare(instance));
  return outcomeOf(instance, program.handle, instance.createContext(8, true));
}

/** The analysis of the text, with what its references name on the instance. */
export function findingsOf({ instance, maps }: World, text: string): AccessFindings {
  const program = linkNoted(text);
  const handle = instance.exports.program_create(0);
  const named = new Map<number, Named>();
  for (const reference of program.references) {
    if (reference.kind === "function") {
      named.set(reference.slot, { kind: "function" });
      continue;
    }
    const map = maps[reference.map]!;
    const address =
      reference.kind === "map"
        ? map.address
        : instance.exports.rt_map_values(map.handle) + reference.offset;
    named.set(reference.slot, resolveData(instance, handle, reference, address).named);
  }
  return analyseAccesses(takeApart(program), named);
}

/** Slots of the accesses that need no check, and those that are marked so. */
export function safeSlots(world: World, text: string): { found: number[]; marked: number[] } {
  const found = [...findingsOf(world, text).safe].sort((left, right) => left - right);
  return { found, marked: slotsNoted(text, "safe") };
}
