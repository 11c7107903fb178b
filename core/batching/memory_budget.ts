/** How many bytes batches on their way may hold. */
export class MemoryBudget {
  readonly limit_bytes: number;
  #used_bytes = 0;

  constructor(limit_bytes: number) {
    this.limit_bytes = limit_bytes;
  }

  get used_bytes(): number {
    return this.#used_bytes;
  }

  /** From 0 to 1. */
  get fill(): number {
    return this.#used_bytes / this.limit_bytes;
  }

  /** False where there is no room; nothing is taken then. */
  take(bytes: number): boolean {
    if (this.#used_bytes + bytes > this.limit_bytes) return false;
    this.#used_bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#used_bytes -= bytes;
  }
}
