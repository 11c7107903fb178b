/** What happens when, in virtual time: a binary heap with ties broken by order of insertion. */

export class EventQueue<Item> {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: Item[] = [];
  #inserted = 0;

  get size(): number {
    return this.#items.length;
  }

  /** Time of the next item; the queue is not empty. */
  get nextTime_ns(): number {
    return this.#times[0]!;
  }

  push(time_ns: number, item: Item): void {
    let at = this.#items.length;
    this.#times.push(time_ns);
    this.#orders.push(this.#inserted++);
    this.#items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Removes and returns the earliest item; the queue is not empty. */
  pop(): Item {
    const first = this.#items[0]!;
    this.#swap(0, this.#items.length - 1);
    this.#times.pop();
    this.#orders.pop();
    this.#items.pop();
    this.#sink(0);
    return first;
  }

  #sink(start: number): void {
    let at = start;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#items.length && this.#before(child, least)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #before(left: number, right: number): boolean {
    const difference = this.#times[left]! - this.#times[right]!;
    return difference < 0 || (difference === 0 && this.#orders[left]! < this.#orders[right]!);
  }

  #swap(left: number, right: number): void {
    for (const column of [this.#times, this.#orders, this.#items] as unknown[][]) {
      const kept = column[left];
      column[left] = column[right];
      column[right] = kept;
    }
  }
}
