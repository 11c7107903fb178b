/** Collects the coverage of every program that is loaded with its `instrument`. */
import { counterBytes } from "#wasm/engines/aot/emit_probes.ts";
import type { Instrument } from "#wasm/engines/probes.ts";
import { SLOT_BYTES } from "#wasm/loader/instructions.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { countInstructions } from "./block_counts.ts";
import { Coverage } from "./coverage.ts";

interface RunningProgram {
  readonly program: LinkedProgram;
  readonly counters: BigUint64Array;
}

export class CoverageCollector {
  readonly #finished = new Coverage();
  readonly #running = new Set<RunningProgram>();

  /** Gives a program counters, unless its object says nothing of its source. */
  readonly instrument: Instrument = (instance, program) => {
    if (program.lines.length === 0) return undefined;
    const bytes = counterBytes(program.code.length / SLOT_BYTES);
    const address = instance.alloc(bytes);
    const counters = new BigUint64Array(instance.u8.buffer, address, bytes / 8);
    const running = { program, counters };
    this.#running.add(running);
    const released = (): void => {
      this.#running.delete(running);
      add(this.#finished, running);
      instance.free(address);
    };
    return { counters: address, released };
  };

  /** What all programs have done so far, those that can still run included. */
  read(): Coverage {
    const coverage = new Coverage();
    coverage.merge(this.#finished);
    for (const running of this.#running) add(coverage, running);
    return coverage;
  }
}

function add(coverage: Coverage, { program, counters }: RunningProgram): void {
  coverage.addProgram(program, countInstructions(program, counters));
}

let everywhere: CoverageCollector | undefined;

/** From now on every backend of the process that is not told otherwise counts into `collector`. */
export function coverEveryBackend(collector: CoverageCollector | undefined): void {
  everywhere = collector;
}

export function coverageOfEveryBackend(): CoverageCollector | undefined {
  return everywhere;
}
