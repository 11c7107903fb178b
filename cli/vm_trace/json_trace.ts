/** A trace as JSON, one object a line, for scripts. Numbers of 64 bits are hexadecimal strings. */
import { effectOf, helperCallOf } from "#wasm/tracing/effect.ts";
import type { Step, TraceListener } from "#wasm/tracing/tracer.ts";
import { runHeader } from "./run_header.ts";
import type { TraceSession } from "./traced_run.ts";

export interface JsonTraceOptions {
  readonly write: (line: string) => void;
  /** Source lines only. */
  readonly linesOnly: boolean;
}

type Json = Record<string, unknown>;

export class JsonTrace implements TraceListener {
  readonly #session: TraceSession;
  readonly #options: JsonTraceOptions;
  #run = 0;
  #shown = "";

  constructor(session: TraceSession, options: JsonTraceOptions) {
    this.#session = session;
    this.#options = options;
  }

  begin(run: number, first: Step): void {
    this.#run = run;
    this.#shown = "";
    const { program, cpu, time_ns } = runHeader(this.#session, run, first);
    this.#write({ event: "run", run, program, cpu, time_ns: Number(time_ns) });
  }

  before(step: Step): void {
    if (!this.#options.linesOnly) return;
    const place = this.#place(step);
    const key = JSON.stringify(place);
    if (key !== this.#shown && "line" in place) this.#write({ event: "line", ...place });
    this.#shown = key;
  }

  after(step: Step, next: Step): void {
    const { changed, stored, jumpedTo, result } = effectOf(step, next);
    const registers = changed.map(({ register, value }) => [`r${register}`, this.#value(value)]);
    this.#instruction(step, {
      changed: Object.fromEntries(registers),
      ...(stored && { stored: { at: this.#value(stored.address), value: hex(stored.value) } }),
      ...(jumpedTo === undefined ? {} : { jumped_to: jumpedTo }),
      ...(result === undefined ? {} : { result: this.#value(result) }),
    });
  }

  replace(caller: Step, first: Step): void {
    this.#instruction(caller, { tail_call: first.program.name });
  }

  leave(exit: Step): void {
    this.#instruction(exit, { returns: hex(exit.registers[0]!) });
  }

  abandon(step: Step): void {
    this.#instruction(step, { ends_run: true });
  }

  #instruction(step: Step, effect: Json): void {
    if (this.#options.linesOnly) return;
    const { slot, program } = step;
    this.#write({
      event: "instruction",
      ...this.#place(step),
      slot,
      instruction: program.text(slot),
      ...this.#call(step),
      ...effect,
    });
  }

  #place({ program, slot, depth }: Step): Json {
    const line = program.line(slot);
    return {
      run: this.#run,
      program: program.name,
      function: program.functionName(slot),
      depth,
      ...(line && { file: line.file, line: line.line, source: line.text.trim() }),
    };
  }

  #call(step: Step): Json {
    const call = helperCallOf(step);
    if (call === undefined) return {};
    const given = call.arguments.map(({ name, value }) => [name, this.#value(value)]);
    return { helper: call.helper, arguments: Object.fromEntries(given) };
  }

  /** The number, with what it stands for behind it. */
  #value(value: bigint): string {
    const { names, tracer } = this.#session;
    const name = names.nameOf(value, tracer.open);
    return name === undefined ? hex(value) : `${hex(value)} ${name}`;
  }

  #write(record: Json): void {
    this.#options.write(JSON.stringify(record));
  }
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
