/**
 * Follows programs instruction by instruction on the compiling engine: who is called, what changes.
 * For a machine that does not preempt programs; one tracer for one machine.
 */
import { isTailCall } from "#wasm/engines/aot/emit_probes.ts";
import type { Instrument } from "#wasm/engines/probes.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { OPCODE } from "#wasm/loader/instructions.ts";
import { TracedProgram } from "./traced_program.ts";

const REGISTERS = 11;
/** Index of r10's low half in words of 32 bits: frames are told apart by it. */
const FRAME_WORD = 20;

/** An instruction that is about to execute. */
export interface Step {
  readonly program: TracedProgram;
  readonly slot: number;
  /** Calls that are open: 0 in the entry. */
  readonly depth: number;
  /** r0 to r10. */
  readonly registers: BigUint64Array;
}

/** What becomes of the steps of the runs that are traced. Whatever a method throws ends the run. */
export interface TraceListener {
  /** Run `run` of the traced programs begins, counted from 1. */
  begin?(run: number, first: Step): void;
  before?(step: Step): void;
  /** A call of a function, or of a helper that runs a callback: its frame begins with `first`. */
  enter?(caller: Step, first: Step): void;
  /** The step is done, calls inside it included; `next` follows in the same frame. */
  after?(step: Step, next: Step): void;
  /** A tail call was granted: `first` of another program follows in the same frame. */
  replace?(caller: Step, first: Step): void;
  /** `exit` is about to leave its frame with r0. */
  leave?(exit: Step): void;
  /** The entry has left: the run is over. */
  end?(run: number): void;
  /** The run that was asked for is over, and another one begins. */
  beyond?(): void;
  /** The run ended by an error, at `step`. */
  abandon?(step: Step): void;
}

interface Frame {
  readonly pointer: number;
  program: TracedProgram;
  slot: number;
  /** Of a run that is traced. */
  step: Step | undefined;
}

export interface TracerOptions {
  /** May come later: `listen`. */
  readonly listener?: TraceListener;
  /** Programs whose runs are counted and traced, with what they call; default all. */
  readonly programs?: readonly string[];
  /** The only run to trace; default all. */
  readonly run?: number;
}

export class Tracer {
  #listener: TraceListener;
  readonly #options: TracerOptions;
  readonly #frames: Frame[] = [];
  #registers: BigUint64Array | undefined;
  #words = new Uint32Array();
  #runs = 0;
  #tracing = false;

  constructor(options: TracerOptions = {}) {
    this.#options = options;
    this.#listener = options.listener ?? {};
  }

  /** From now on `listener` is told. */
  listen(listener: TraceListener): void {
    this.#listener = listener;
  }

  /** For the backend that loads the programs. */
  readonly instrument: Instrument = (instance, linked) => {
    const program = new TracedProgram(linked);
    const registers = this.#registersOf(instance);
    return {
      step: { registers: registers.byteOffset, before: (slot) => this.#before(program, slot) },
    };
  };

  /** Runs of the traced programs so far. */
  get runs(): number {
    return this.#runs;
  }

  /** Steps that have begun and not ended, the innermost last: where a run that faulted stands. */
  get open(): readonly Step[] {
    return this.#frames.flatMap(({ step }) => step ?? []);
  }

  /** An error has ended the run under way: says so, and is ready for the next. */
  abandon(): void {
    const step = this.#frames.splice(0).at(-1)?.step;
    if (step !== undefined) this.#listener.abandon?.(step);
  }

  #registersOf(instance: RuntimeInstance): BigUint64Array {
    if (this.#registers === undefined) {
      const { buffer } = instance.u8;
      this.#registers = new BigUint64Array(buffer, instance.alloc(8 * REGISTERS), REGISTERS);
      this.#words = new Uint32Array(buffer, this.#registers.byteOffset, 2 * REGISTERS);
    }
    return this.#registers;
  }

  #before(program: TracedProgram, slot: number): void {
    const pointer = this.#words[FRAME_WORD]!;
    const top = this.#frames.at(-1);
    if (top === undefined) this.#begin(program, slot, pointer);
    else if (top.pointer !== pointer) this.#enter(top, program, slot, pointer);
    else this.#continue(top, program, slot);
    if (program.instructions[slot]!.opcode === OPCODE.EXIT) this.#leave();
  }

  #begin(program: TracedProgram, slot: number, pointer: number): void {
    const { programs, run } = this.#options;
    const counted = programs === undefined || programs.includes(program.name);
    if (counted) this.#runs++;
    this.#tracing = counted && (run === undefined || run === this.#runs);
    if (run !== undefined && this.#runs > run) this.#listener.beyond?.();
    const step = this.#push(program, slot, pointer);
    if (step === undefined) return;
    this.#listener.begin?.(this.#runs, step);
    this.#listener.before?.(step);
  }

  #enter(caller: Frame, program: TracedProgram, slot: number, pointer: number): void {
    const step = this.#push(program, slot, pointer);
    if (step === undefined) return;
    this.#listener.enter?.(caller.step!, step);
    this.#listener.before?.(step);
  }

  #push(program: TracedProgram, slot: number, pointer: number): Step | undefined {
    const step = this.#step(program, slot, this.#frames.length);
    this.#frames.push({ pointer, program, slot, step });
    return step;
  }

  #step(program: TracedProgram, slot: number, depth: number): Step | undefined {
    if (!this.#tracing) return undefined;
    return { program, slot, depth, registers: this.#registers!.slice() };
  }

  #continue(frame: Frame, program: TracedProgram, slot: number): void {
    const { step: last } = frame;
    const step = this.#step(program, slot, this.#frames.length - 1);
    const elsewhere = frame.program !== program || slot !== frame.slot + 1;
    const replaced = elsewhere && isTailCall(frame.program.instructions[frame.slot]!);
    frame.program = program;
    frame.slot = slot;
    frame.step = step;
    if (step === undefined || last === undefined) return;
    if (replaced) this.#listener.replace?.(last, step);
    else this.#listener.after?.(last, step);
    this.#listener.before?.(step);
  }

  #leave(): void {
    const { step } = this.#frames.pop()!;
    if (step === undefined) return;
    this.#listener.leave?.(step);
    if (this.#frames.length === 0) this.#listener.end?.(this.#runs);
  }
}
