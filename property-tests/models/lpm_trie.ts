/** `lpm_trie` as a list that is scanned: the longest stored prefix of a key wins. */

import { MAP_FLAG, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { bytesOf, hex, u32 } from "./bytes.ts";
import { ACCESS_FLAGS, flagsAllowed, type MapModelType, type ModelContext } from "./map_model.ts";
import { type Batches, TableModel } from "./table_model.ts";

const PREFIX_LENGTH_BYTES = 4;
const DATA_BYTES_MAX = 256;
const VALUE_BYTES_MAX = (4 << 20) - DATA_BYTES_MAX - 64;

interface Prefix {
  /** The key as it was last written, with whatever stood behind the prefix. */
  key: string;
  /** The prefix as a text of zeros and ones. */
  readonly bits: string;
  value: string;
}

export class LpmTrieModel extends TableModel {
  protected readonly anyOrder = null;
  protected readonly takes = false;
  protected readonly batches: Batches;
  private prefixes: Prefix[] = [];

  constructor(spec: MapSpec, context: ModelContext) {
    super(spec, context);
    const offered = context.kernel.lpmTrieBatch;
    this.batches = { lookup: offered, update: offered, delete: offered };
  }

  protected find(key: Uint8Array): string | number {
    const bits = this.bitsOf(key);
    if (bits === undefined) return ERRNO.ENOENT;
    const matches = this.prefixes.filter((prefix) => bits.startsWith(prefix.bits));
    const longest = matches.toSorted((a, b) => b.bits.length - a.bits.length)[0];
    return longest?.value ?? ERRNO.ENOENT;
  }

  protected put(key: Uint8Array, value: Uint8Array, flags: number): number {
    const bits = this.bitsOf(key);
    if (flags > UPDATE.EXIST || bits === undefined) return ERRNO.EINVAL;
    const existing = this.prefixes.find((prefix) => prefix.bits === bits);
    const full = this.prefixes.length === this.spec.maxEntries;
    const { lpmTrieUpdateFlags, lpmTrieOverwritesFull } = this.context.kernel;
    if (full && !lpmTrieOverwritesFull) return ERRNO.ENOSPC;
    if (lpmTrieUpdateFlags) {
      if (existing !== undefined && flags === UPDATE.NOEXIST) return ERRNO.EEXIST;
      if (existing === undefined && flags === UPDATE.EXIST) return ERRNO.ENOENT;
    }
    if (existing === undefined && full) return ERRNO.ENOSPC;
    if (existing === undefined) this.prefixes.push({ key: hex(key), bits, value: hex(value) });
    else Object.assign(existing, { key: hex(key), value: hex(value) });
    return 0;
  }

  protected remove(key: Uint8Array): number {
    const bits = this.bitsOf(key);
    if (bits === undefined) return ERRNO.EINVAL;
    const rest = this.prefixes.filter((prefix) => prefix.bits !== bits);
    if (rest.length === this.prefixes.length) return ERRNO.ENOENT;
    this.prefixes = rest;
    return 0;
  }

  protected keys(): string[] {
    return this.prefixes.toSorted((a, b) => comparePostOrder(a.bits, b.bits)).map(({ key }) => key);
  }

  protected position(from: Uint8Array, keys: readonly string[]): number {
    const bits = this.bitsOf(from);
    return keys.findIndex((key) => this.bitsOf(bytesOf(key)) === bits);
  }

  /** The prefix of a key in network bit order, or undefined where it claims more bits than exist. */
  private bitsOf(key: Uint8Array): string | undefined {
    const length_bits = u32(key);
    const data = key.subarray(PREFIX_LENGTH_BYTES);
    if (length_bits > data.length * 8) return undefined;
    return Array.from(data, (byte) => byte.toString(2).padStart(8, "0"))
      .join("")
      .slice(0, length_bits);
  }
}

/** More specific prefixes come before the less specific ones that hold them; 0 comes before 1. */
function comparePostOrder(a: string, b: string): number {
  if (a.startsWith(b)) return -1;
  if (b.startsWith(a)) return 1;
  return a < b ? -1 : 1;
}

export const lpmTrieModel: MapModelType = {
  creationErrno(spec: MapSpec): number {
    const wrong =
      spec.maxEntries === 0 ||
      (spec.flags & MAP_FLAG.NO_PREALLOC) === 0 ||
      !flagsAllowed(spec.flags, ACCESS_FLAGS | MAP_FLAG.NO_PREALLOC) ||
      spec.keySize < PREFIX_LENGTH_BYTES + 1 ||
      spec.keySize > PREFIX_LENGTH_BYTES + DATA_BYTES_MAX ||
      spec.valueSize < 1 ||
      spec.valueSize > VALUE_BYTES_MAX;
    return wrong ? ERRNO.EINVAL : 0;
  },
  create: (spec, context) => new LpmTrieModel(spec, context),
};
