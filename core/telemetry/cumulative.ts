/**
 * A counter as exporters want it: one that never falls, over programs that come, go and come again.
 *
 * A reading is cumulative since its program was loaded, and names the program by its id. Another id
 * means another program, which counts from 0: what the one before had counted is kept. The same id means
 * that the reader came back, so nothing is counted twice.
 */

export class Cumulative {
  #id: number | undefined;
  #retired = 0;
  #last = 0;

  /** Takes a reading of program `id`. */
  update(id: number, reading: number): void {
    // A smaller reading of the same program is one that began again.
    if (this.#id !== id || reading < this.#last) this.#retired += this.#last;
    this.#id = id;
    this.#last = reading;
  }

  /** Adds what user space counted. */
  add(amount: number): void {
    this.#retired += amount;
  }

  get total(): number {
    return this.#retired + this.#last;
  }
}
