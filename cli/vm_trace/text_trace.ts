/** A trace as text: source lines, and below each its instructions with what they did. */
import { effectOf } from "#wasm/tracing/effect.ts";
import type { Step, TraceListener } from "#wasm/tracing/tracer.ts";
import { describeArguments, describeEffect, sourceLine, stepLine } from "./describe_step.ts";
import { formatNumber, formatValue } from "./format_value.ts";
import { formatHeader, runHeader } from "./run_header.ts";
import type { TraceSession } from "./traced_run.ts";

export interface TextTraceOptions {
  readonly write: (line: string) => void;
  /** Source lines only. */
  readonly linesOnly: boolean;
}

export class TextTrace implements TraceListener {
  readonly #session: TraceSession;
  readonly #options: TextTraceOptions;
  /** Where the last source line was shown. */
  #shown = "";
  /** Steps whose calls were shown as they began. */
  readonly #calling = new Set<Step>();

  constructor(session: TraceSession, options: TextTraceOptions) {
    this.#session = session;
    this.#options = options;
  }

  begin(run: number, first: Step): void {
    this.#options.write(formatHeader(runHeader(this.#session, run, first)));
    this.#shown = "";
  }

  before(step: Step): void {
    const line = step.program.line(step.slot);
    const place = `${step.depth} ${step.program.functionName(step.slot)} ${line?.file}:${line?.line}`;
    if (place === this.#shown) return;
    this.#shown = place;
    const text = sourceLine(step);
    if (text !== undefined) this.#options.write(text);
  }

  enter(caller: Step, first: Step): void {
    // A helper may run its callback many times.
    if (!this.#calling.has(caller)) this.#instruction(caller, this.#arguments(caller));
    this.#calling.add(caller);
    this.#note(first, `${first.program.functionName(first.slot)}:`);
  }

  after(step: Step, next: Step): void {
    const { names, tracer } = this.#session;
    const { open } = tracer;
    if (this.#calling.delete(step)) {
      const { result } = effectOf(step, next);
      this.#instruction(step, `= ${formatValue(result!, names, open)}`);
    } else {
      this.#instruction(step, describeEffect(step, next, names, open));
    }
  }

  replace(caller: Step, first: Step): void {
    this.#instruction(caller, this.#arguments(caller));
    this.#note(first, `tail call of ${first.program.name}:`);
  }

  leave(exit: Step): void {
    this.#instruction(exit, `returns ${formatNumber(exit.registers[0]!)}`);
  }

  abandon(step: Step): void {
    this.#instruction(step, `${this.#arguments(step)} ends the run`.trimStart());
  }

  #arguments(caller: Step): string {
    return describeArguments(caller, this.#session.names, this.#session.tracer.open);
  }

  #instruction(step: Step, effect: string): void {
    if (!this.#options.linesOnly) this.#options.write(stepLine(step, effect));
  }

  #note(step: Step, text: string): void {
    this.#options.write(`${"  ".repeat(step.depth)}${text}`);
    this.#shown = "";
  }
}
