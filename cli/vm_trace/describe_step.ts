/** Steps of a trace as lines of text. */
import { effectOf, helperCallOf } from "#wasm/tracing/effect.ts";
import type { Step } from "#wasm/tracing/tracer.ts";
import type { ValueNames } from "#wasm/tracing/value_names.ts";
import { formatValue, shortValue } from "./format_value.ts";

const TEXT_WIDTH = 44;

const indent = ({ depth }: Step): string => "  ".repeat(depth);

/** `   12: r1 = r2      r1 = 5`, without blanks at the end. */
export function stepLine(step: Step, effect = ""): string {
  const text = step.program.text(step.slot).padEnd(TEXT_WIDTH);
  return `${indent(step)}${String(step.slot).padStart(6)}: ${text} ${effect}`.trimEnd();
}

/** `file:line  text`; undefined where the object does not say. */
export function sourceLine(step: Step): string | undefined {
  const line = step.program.line(step.slot);
  return line && `${indent(step)}${line.file}:${line.line}  ${line.text.trim()}`;
}

/** A helper's arguments by name: `(map = visits, key = fp-4)`; empty for everything else. */
export function describeArguments(step: Step, names: ValueNames, open: readonly Step[]): string {
  const call = helperCallOf(step);
  if (call === undefined) return "";
  const given = call.arguments.map(
    ({ name, value }) => `${name} = ${shortValue(value, names, open)}`,
  );
  const name = step.program.text(step.slot).includes(call.helper) ? "" : call.helper;
  return `${name}(${given.join(", ")})`;
}

/** What the step did. `open` are the frames' steps, `next` the innermost. */
export function describeEffect(
  step: Step,
  next: Step,
  names: ValueNames,
  open: readonly Step[],
): string {
  const { changed, stored, jumpedTo, result } = effectOf(step, next);
  if (result !== undefined) {
    const given = describeArguments(step, names, open);
    return `${given}${given === "" ? "" : " "}= ${formatValue(result, names, open)}`;
  }
  const parts = changed.map(
    ({ register, value }) => `r${register} = ${formatValue(value, names, open)}`,
  );
  if (stored !== undefined) {
    const { address, value } = stored;
    parts.push(`*(${shortValue(address, names, open)}) = ${formatValue(value, names, open)}`);
  }
  if (jumpedTo !== undefined) parts.push(`jumps to ${jumpedTo}`);
  return parts.join(", ");
}
