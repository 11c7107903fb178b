/**
 * The runtime's table of functions, grown for functions that come at run time. Places that are given
 * back are used again, so that loading and closing programs does not grow it for ever.
 */
export class FunctionTable {
  readonly #table: WebAssembly.Table;
  readonly #free: number[] = [];
  readonly #released = new Map<number, () => void>();

  constructor(table: WebAssembly.Table) {
    this.#table = table;
  }

  /**
   * The index of a place that holds nothing yet. The caller releases it; `released` is called once, when
   * that happens.
   */
  reserve(released?: () => void): number {
    const index = this.#free.pop() ?? this.#table.grow(1);
    if (released !== undefined) this.#released.set(index, released);
    return index;
  }

  set(index: number, exported: unknown): void {
    this.#table.set(index, exported);
  }

  get(index: number): unknown {
    return this.#table.get(index);
  }

  /** Forgets the function, so that its module can be collected. */
  release(index: number): void {
    this.#table.set(index, null);
    this.#free.push(index);
    this.#released.get(index)?.();
    this.#released.delete(index);
  }
}
