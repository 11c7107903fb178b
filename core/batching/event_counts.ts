/** Events of a batch by program and CPU: counting one is an addition in a typed array. */

const PROGRAMS = 32;
const CPUS = 1024;

export class EventCounts {
  readonly #counts = new Uint32Array(PROGRAMS * CPUS);
  /** Slots that are not zero. */
  readonly #used: number[] = [];
  /** Of records whose header names what no machine has, by `program * 2^16 + cpu`. */
  readonly #others = new Map<number, number>();

  add(program: number, cpu: number): void {
    if (program >= PROGRAMS || cpu >= CPUS) {
      const key = program * 65_536 + cpu;
      this.#others.set(key, (this.#others.get(key) ?? 0) + 1);
      return;
    }
    const slot = program * CPUS + cpu;
    if (this.#counts[slot]! === 0) this.#used.push(slot);
    this.#counts[slot]! += 1;
  }

  /** The counts by `program * 2^16 + cpu`; they begin at zero again. */
  take(): ReadonlyMap<number, number> {
    const taken = new Map(this.#others);
    this.#others.clear();
    for (const slot of this.#used) {
      const program = Math.floor(slot / CPUS);
      taken.set(program * 65_536 + (slot % CPUS), this.#counts[slot]!);
      this.#counts[slot] = 0;
    }
    this.#used.length = 0;
    return taken;
  }
}
