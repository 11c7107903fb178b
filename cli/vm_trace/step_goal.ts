/** Where a program that goes on shall stop again. */
import type { Step } from "#wasm/tracing/tracer.ts";

export type Goal = (step: Step) => boolean;

/** A line by its number, and the end of its file's path where one is given. */
export interface LinePlace {
  readonly file: string | undefined;
  readonly line: number;
}

export const nextInstruction: Goal = () => true;
export const never: Goal = () => false;

/** Another line of the same function, or the caller. */
export function nextLine(from: Step): Goal {
  const start = placeOf(from);
  return (step) =>
    step.depth < from.depth || (step.depth === from.depth && placeOf(step) !== start);
}

export function outOf(from: Step): Goal {
  return (step) => step.depth < from.depth;
}

/** Where the line begins; not where the program stands already. */
export function untilLine(place: LinePlace, from: Step): Goal {
  let inside = isAt(from, place);
  return (step) => {
    const at = isAt(step, place);
    const begins = at && !inside;
    inside = at;
    return begins;
  };
}

/** `12` or `FILE:12`; undefined for anything else. */
export function parsePlace(text: string): LinePlace | undefined {
  const match = /^(?:(.+):)?(\d+)$/.exec(text);
  return match === null ? undefined : { file: match[1], line: Number(match[2]) };
}

/** Whether any instruction of the step's program belongs to the line. */
export function hasCode({ program }: Step, place: LinePlace): boolean {
  return program.linked.lines.some((line) => matches(line, place));
}

function isAt({ program, slot }: Step, place: LinePlace): boolean {
  const line = program.line(slot);
  return line !== undefined && matches(line, place);
}

function matches(
  line: { readonly file: string; readonly line: number },
  place: LinePlace,
): boolean {
  if (line.line !== place.line) return false;
  return place.file === undefined || `/${line.file}`.endsWith(`/${place.file}`);
}

function placeOf({ program, slot }: Step): string {
  const line = program.line(slot);
  return line === undefined ? `${slot}` : `${line.file}:${line.line}`;
}
