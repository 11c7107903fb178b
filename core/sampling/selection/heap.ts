/** A binary heap in an array: the item that is below all others is at hand. */

export class Heap<Item> {
  readonly #items: Item[] = [];
  readonly #isBelow: (left: Item, right: Item) => boolean;

  constructor(isBelow: (left: Item, right: Item) => boolean) {
    this.#isBelow = isBelow;
  }

  /** In no order; the heap's own. */
  get items(): readonly Item[] {
    return this.#items;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The least item; undefined where there is none. */
  get least(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    items.push(item);
    for (let at = items.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isBelow(items[at]!, items[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the least item out. */
  pop(): Item | undefined {
    const items = this.#items;
    const least = items[0];
    const last = items.pop();
    if (items.length > 0) this.replaceLeast(last!);
    return least;
  }

  /** Puts `item` in the place of the least one. */
  replaceLeast(item: Item): void {
    const items = this.#items;
    items[0] = item;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < items.length && this.#isBelow(items[left]!, items[least]!)) least = left;
      if (right < items.length && this.#isBelow(items[right]!, items[least]!)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(left: number, right: number): void {
    const items = this.#items;
    [items[left], items[right]] = [items[right]!, items[left]!];
  }
}
