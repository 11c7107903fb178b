/** The maps of a resident machine: emptied before each program, compared after it. */
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { WasmMap } from "#wasm/map.ts";

const NO_KEY = new Uint8Array();

export class MachineMaps {
  readonly #maps: readonly WasmMap[];
  readonly #value: Uint8Array;
  readonly #key = new Uint8Array(4);

  /** Maps with keys of 4 bytes: numbers from 0 to `maxEntries`. Maps without keys are queues. */
  constructor(instance: RuntimeInstance, specs: readonly MapSpec[]) {
    this.#maps = specs.map((spec) => new WasmMap(instance, spec));
    this.#value = new Uint8Array(Math.max(0, ...specs.map(({ valueSize }) => valueSize)));
  }

  /** Throws `BpfError` for a name that is no map's number. */
  address(number: string): number {
    const map = this.#maps[Number(number)];
    if (map !== undefined) return map.address;
    throw new BpfError("load program", `there is no map ${number}`, { errno: ERRNO.EBADF });
  }

  clear(): void {
    for (const map of this.#maps) {
      if (map.spec.type === MAP_TYPE.array) map.memory().fill(0);
      else this.#visit(map, map.spec.keySize > 0);
    }
  }

  contents(): string {
    return this.#maps.map((map) => this.#visit(map, false).join(" ")).join(" | ");
  }

  /** Values in order of their keys; takes them out where `remove`, and always out of a queue. */
  #visit(map: WasmMap, remove: boolean): string[] {
    const found: string[] = [];
    const value = this.#value.subarray(0, map.spec.valueSize);
    const queue = map.spec.keySize === 0;
    for (let key = 0; key <= map.spec.maxEntries; key++) {
      this.#key[0] = key;
      if (queue) {
        if (!map.lookupAndDelete(NO_KEY, value)) break;
      } else if (!map.lookup(this.#key, value)) continue;
      if (remove) map.delete(this.#key);
      found.push(`${key}=${Buffer.from(value).toString("hex")}`);
    }
    return found;
  }
}
