/**
 * What was made before. Property tests, the lab and replays open the same few files again and again in one process: they
 * are taken apart and compiled once. Nobody may change what is remembered.
 */

/** The latest few of some things, latest first. */
export class Latest<Entry> {
  readonly #capacity: number;
  #entries: readonly Entry[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The entry that matches, else the one that is made, which is then remembered. Errors are not. */
  of(matches: (entry: Entry) => boolean, make: () => Entry): Entry {
    const entry = this.#entries.find(matches) ?? make();
    const others = this.#entries.filter((one) => one !== entry);
    this.#entries = [entry, ...others.slice(0, this.#capacity - 1)];
    return entry;
  }
}

/** What was made of some bytes. */
export class Remembered<Made> {
  readonly #latest: Latest<{ bytes: Uint8Array; key: string; made: Made }>;

  constructor(capacity: number) {
    this.#latest = new Latest(capacity);
  }

  /**
   * What `make` once made of equal bytes, for the same `key`, which stands for everything else that it depends on. The
   * bytes stay the caller's.
   */
  of(bytes: Uint8Array, key: string, make: () => Made): Made {
    return this.#latest.of(
      (entry) => entry.key === key && equalBytes(entry.bytes, bytes),
      () => ({ bytes: Uint8Array.from(bytes), key, made: make() }),
    ).made;
  }
}

/** What was made for something else that lives on, and goes with it. */
export class RememberedFor<Owner extends object, Entry> {
  readonly #capacity: number;
  readonly #byOwner = new WeakMap<Owner, Latest<Entry>>();

  /** `capacity` of each owner. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  of(owner: Owner, matches: (entry: Entry) => boolean, make: () => Entry): Entry {
    let latest = this.#byOwner.get(owner);
    if (latest === undefined) {
      latest = new Latest(this.#capacity);
      this.#byOwner.set(owner, latest);
    }
    return latest.of(matches, make);
  }
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
