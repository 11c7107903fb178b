/** What compiled code tells about its runs, for tracing and coverage; nothing unless asked for. */
import type { RuntimeInstance } from "#wasm/instance.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";

export interface StepProbe {
  /** Where r0 to r10 stand when `before` is called: 88 bytes of the instance's memory, aligned to 8. */
  readonly registers: number;
  /** Called before every instruction, with its slot. What it throws ends the run. */
  readonly before: (slot: number) => void;
}

export interface ProgramProbes {
  readonly step?: StepProbe;
  /**
   * Address of counters, u64, in the instance's memory, two for each slot of the program: how often
   * the code that starts at slot n of the program ran is counter n (at block starts and after tail
   * calls only), how often the conditional jump there was taken counter n + slots.
   */
  readonly counters?: number;
  /** Called once, when the program's code can run no more. */
  readonly released?: () => void;
}

/** Says what a program shall tell; asked once, before it is compiled. */
export type Instrument = (
  instance: RuntimeInstance,
  program: LinkedProgram,
) => ProgramProbes | undefined;
