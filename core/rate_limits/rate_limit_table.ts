/** The kernel's rate limits and buckets of one loaded object. */
import type { BpfMap, BpfObject } from "../backend.ts";
import { type Codec, createCodec } from "../btf/codec.ts";
import { fieldReaderPair, fieldWriterPair, type ReaderPair } from "../btf/fields.ts";
import type { Layout } from "../btf/layout.ts";
import { findType } from "../btf/queries.ts";
import { BpfError, ERRNO } from "../errors.ts";
import { requiredMap, requiredStruct } from "../object_parts.ts";
import { type CompiledLimit, compileLimit, TIME_SHIFT } from "./compile_limit.ts";
import { RATE_LIMIT_KEYS, type RateLimitConfig } from "./rate_limit_config.ts";

/** `RATE_LIMIT_OVERFLOW` of bpf_rate_limit.h: the bucket of a kind's keys that found no room. */
const OVERFLOW = 0x100;

/** A bucket that was idle this long is as good as none. */
const IDLE_NS = 60_000_000_000n;

export class RateLimitTable {
  readonly #table: BpfMap;
  readonly #buckets: BpfMap;
  readonly #layout: Layout;
  readonly #arrival: ReaderPair;
  readonly #key: Codec;
  readonly #programs: number;
  #generation = 0n;

  constructor(object: BpfObject) {
    this.#table = requiredMap(object, ".data.limits");
    this.#buckets = requiredMap(object, "rate_limit_buckets");
    this.#layout = requiredStruct(object, "rate_limit_table");
    this.#arrival = fieldReaderPair(requiredStruct(object, "rate_limit_bucket"), "arrival");
    this.#key = createCodec(object.btf, findType(object.btf, "rate_limit_bucket_key", "struct")!);
    this.#programs = object.programs.size;
  }

  /** Puts other limits in force, by one store. Buckets keep what they have. */
  publish(config: RateLimitConfig): void {
    this.#reserveOverflow(config);
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

  /**
   * Makes the buckets that keys beyond the table's size share: once it is full, a program could not. They
   * start with their whole credit. One that finds no room itself is made when a sweep has left some.
   */
  #reserveOverflow(config: RateLimitConfig): void {
    const key = new Uint8Array(this.#buckets.spec.keySize);
    const value = new Uint8Array(this.#buckets.valueBytes);
    RATE_LIMIT_KEYS.forEach((name, index) => {
      if (config[name] === undefined) return;
      for (let program = 0; program < this.#programs; program++) {
        this.#key.encode({ kind: index | OVERFLOW, program, value: [0, 0] }, key);
        if (!this.#buckets.lookup(key, value)) this.#insert(key, value.fill(0));
      }
    });
  }

  #insert(key: Uint8Array, value: Uint8Array): void {
    try {
      this.#buckets.update(key, value);
    } catch (error) {
      if (!(error instanceof BpfError && error.errno === ERRNO.E2BIG)) throw error;
    }
  }

  #isOverflow(key: Uint8Array): boolean {
    const { kind } = this.#key.decode(key) as { readonly kind: number };
    return (kind & OVERFLOW) !== 0;
  }

  /** Keys that have a bucket of their own now. */
  buckets(): number {
    return this.#keys().filter((key) => !this.#isOverflow(key)).length;
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
      if (this.#isOverflow(key) || !this.#buckets.lookup(key, value)) continue;
      const high = BigInt(this.#arrival.high(view, 0));
      const arrival = BigInt.asIntN(64, (high << 32n) | BigInt(this.#arrival.low(view, 0)));
      if (arrival < oldest && this.#buckets.delete(key)) swept += 1;
    }
    this.#reserveOverflow(config);
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
