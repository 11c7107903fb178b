/** The kernel's rate limits and buckets of one loaded object. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { fieldReaderPair, fieldWriterPair, type ReaderPair } from "../btf/fields.ts";
import type { Layout } from "../btf/layout.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";
import { type CompiledLimit, compileLimit, TIME_SHIFT } from "./compile_limit.ts";
import { RATE_LIMIT_KEYS, type RateLimitConfig } from "./rate_limit_config.ts";

/** A bucket that was idle this long is as good as none. */
const IDLE_NS = 60_000_000_000n;

export class RateLimitTable {
  readonly #table: BpfMap;
  readonly #buckets: BpfMap;
  readonly #layout: Layout;
  readonly #arrival: ReaderPair;
  #generation = 0n;

  constructor(object: BpfObject) {
    this.#table = requiredMap(object, ".data.limits");
    this.#buckets = requiredMap(object, "rate_limit_buckets");
    this.#layout = requiredStruct(object, "rate_limit_table");
    this.#arrival = fieldReaderPair(requiredStruct(object, "rate_limit_bucket"), "arrival");
  }

  /** Puts other limits in force, by one store. Buckets keep what they have. */
  publish(config: RateLimitConfig): void {
    const memory = this.#table.memory();
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    const next = this.#generation + 1n;
    RATE_LIMIT_KEYS.forEach((key, index) => {
      const limit = compileLimit(config[key]);
      const path = `rules[${next & 1n}].limits[${index}]`;
      for (const name of ["interval", "credit", "slack"] as const) {
        const writer = fieldWriterPair(this.#layout, `${path}.${name}`);
        writer.low(view, 0, Number(limit[name] & 0xffffffffn));
        writer.high(view, 0, Number(limit[name] >> 32n));
      }
    });
    const at =
      memory.byteOffset + this.#layout.fields.find(({ path }) => path === "generation")!.offset;
    Atomics.store(new BigUint64Array(memory.buffer, at, 1), 0, next);
    this.#generation = next;
  }

  /** Keys that have a bucket now. */
  buckets(): number {
    return this.#keys().length;
  }

  /**
   * Forgets buckets that have been idle for a minute beyond their credit, which makes room for other keys and
   * changes nothing for these: a new bucket starts with the same credit. Returns how many.
   */
  sweep(now_ns: bigint, config: RateLimitConfig): number {
    const longest = RATE_LIMIT_KEYS.map((key) => compileLimit(config[key])).reduce(
      (most: bigint, { credit, slack }: CompiledLimit) =>
        credit + slack > most ? credit + slack : most,
      0n,
    );
    const oldest = ((now_ns - IDLE_NS) << TIME_SHIFT) - longest;
    const value = new Uint8Array(this.#buckets.valueBytes);
    const view = new DataView(value.buffer);
    let swept = 0;
    for (const key of this.#keys()) {
      if (!this.#buckets.lookup(key, value)) continue;
      const high = BigInt(this.#arrival.high(view, 0));
      const arrival = BigInt.asIntN(64, (high << 32n) | BigInt(this.#arrival.low(view, 0)));
      if (arrival < oldest && this.#buckets.delete(key)) swept += 1;
    }
    return swept;
  }

  #keys(): Uint8Array[] {
    const keys: Uint8Array[] = [];
    const next = new Uint8Array(this.#buckets.spec.keySize);
    const most = this.#buckets.spec.maxEntries;
    for (let key: Uint8Array | null = null; keys.length < most; key = keys.at(-1)!) {
      if (!this.#buckets.nextKey(key, next)) break;
      keys.push(next.slice());
    }
    return keys;
  }
}
