/**
 * What was made of some bytes before. Property tests, the lab and replays open the same few files again and again in one
 * process: they are taken apart and compiled once.
 */
export class Remembered<Made> {
  readonly #capacity: number;
  /** Latest first. */
  #entries: { readonly bytes: Uint8Array; readonly key: string; readonly made: Made }[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * What `make` once made of equal bytes, for the same `key`, which stands for everything else that it depends on. Nobody
   * may change it. Errors are not remembered, and the bytes stay the caller's.
   */
  of(bytes: Uint8Array, key: string, make: () => Made): Made {
    const found = this.#entries.find(
      (entry) => entry.key === key && equalBytes(entry.bytes, bytes),
    );
    const entry = found ?? { bytes: Uint8Array.from(bytes), key, made: make() };
    const others = this.#entries.filter((one) => one !== entry);
    this.#entries = [entry, ...others.slice(0, this.#capacity - 1)];
    return entry.made;
  }
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
