/** What a stopped program holds, as lines of text. */
import type { Step } from "#wasm/tracing/tracer.ts";
import { formatNumber, formatValue } from "./format_value.ts";
import type { TraceSession } from "./traced_run.ts";

const FRAME_BYTES = 512;
const WORD_BYTES = 8;
const FRAME_POINTER = 10;

export function showRegisters({ registers }: Step, { names, tracer }: TraceSession): string[] {
  return [...registers].map(
    (value, register) => `r${register} = ${formatValue(value, names, tracer.open)}`,
  );
}

/** The frame's words that are not zero, from its top down. */
export function showStack(step: Step, { backend, names, tracer }: TraceSession): string[] {
  const top = Number(step.registers[FRAME_POINTER]!);
  const { view } = backend.instance;
  const lines: string[] = [];
  for (let offset = -WORD_BYTES; offset >= -FRAME_BYTES; offset -= WORD_BYTES) {
    const value = view.getBigUint64(top + offset, true);
    if (value === 0n) continue;
    lines.push(
      `fp${offset}: 0x${value.toString(16).padStart(16, "0")} ${meaning(value)}`.trimEnd(),
    );
  }
  return lines.length === 0 ? ["every byte is zero"] : lines;

  function meaning(value: bigint): string {
    const text = formatValue(value, names, tracer.open);
    return text === formatNumber(value) && text.startsWith("0x") ? "" : text;
  }
}

/** The functions that are open, the innermost first. */
export function showCalls({ tracer }: TraceSession): string[] {
  return tracer.open.toReversed().map(({ program, slot, depth }) => {
    const line = program.line(slot);
    const at = line === undefined ? "" : ` at ${line.file}:${line.line}`;
    return `#${depth} ${program.functionName(slot)}${at}, instruction ${slot}`;
  });
}
