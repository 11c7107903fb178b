/**
 * `lru_hash` and `lru_percpu_hash`: which key makes room is the kernel's secret, so this model
 * knows what may be there and what must be there, and learns from each answer
 * (`DIFFERENCES.lruVictims`, and the order of iteration).
 *
 * Every update may evict any key, even a failing one and even below `maxEntries`: a free element is
 * taken before anything is checked.
 */

import { MAP_FLAG, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import {
  describeOutcome,
  failed,
  type MapCall,
  type Outcome,
} from "#property-tests/conformance/map_call.ts";
import { hex } from "./bytes.ts";
import { difference, differenceUnordered } from "./compare.ts";
import { HashModel, hashCreationErrno } from "./hash.ts";
import {
  knownFlags,
  type MapModel,
  type MapModelType,
  type ModelContext,
  refusal,
} from "./map_model.ts";

interface Candidate {
  readonly value: string;
  /** Seen or written since the last update of another key. */
  sure: boolean;
}

export class LruHashModel implements MapModel {
  readonly spec: MapSpec;
  private readonly context: ModelContext;
  private readonly candidates = new Map<string, Candidate>();
  private readonly strict: StrictLru;

  constructor(spec: MapSpec, context: ModelContext) {
    this.spec = spec;
    this.context = context;
    this.strict = new StrictLru(spec, context);
  }

  /** Answers as a strict LRU would, which is one of the right ways. */
  apply(call: MapCall): Outcome {
    return this.strict.apply(call);
  }

  judge(call: MapCall, actual: Outcome): string | undefined {
    const errno = refusal(this.spec, this.context, call);
    if (errno !== 0) return difference({ ...actual, errno }, actual);
    switch (call.kind) {
      case "lookup":
        return this.judgeLookup(hex(call.key), actual, false);
      case "lookup_and_delete":
        if (!this.context.kernel.hashLookupAndDelete) {
          return difference(failed(ERRNO.ENOTSUPP), actual);
        }
        return this.judgeLookup(hex(call.key), actual, true);
      case "update":
        return this.judgeUpdate(
          hex(call.key),
          hex(call.value),
          knownFlags(this.spec, this.context, call),
          actual,
        );
      case "delete":
        return this.judgeDelete(hex(call.key), actual);
      case "walk":
        return this.judgeWalk(call.from === null ? undefined : hex(call.from), actual);
      case "lookup_batch":
        return this.judgeEntries(actual);
      case "update_batch":
        return this.judgeUpdateBatch(call, actual);
      case "delete_batch":
        return this.judgeDeleteBatch(call.keys.map(hex), actual);
    }
  }

  private judgeLookup(key: string, actual: Outcome, removes: boolean): string | undefined {
    const candidate = this.candidates.get(key);
    if (removes || actual.errno !== 0) this.candidates.delete(key);
    else if (candidate !== undefined) candidate.sure = true;
    const found: Outcome[] = candidate === undefined ? [] : [{ errno: 0, value: candidate.value }];
    const missing = candidate?.sure === true && actual.errno !== 0 ? [] : [failed(ERRNO.ENOENT)];
    return oneOf([...found, ...missing], actual);
  }

  private judgeUpdate(
    key: string,
    value: string,
    flags: number,
    actual: Outcome,
  ): string | undefined {
    if (flags > UPDATE.EXIST) return difference(failed(ERRNO.EINVAL), actual);
    const mayExist = this.candidates.has(key);
    for (const candidate of this.candidates.values()) candidate.sure = false;
    if (actual.errno === 0) this.candidates.set(key, { value, sure: true });
    else if (actual.errno === ERRNO.ENOENT) this.candidates.delete(key);
    const right: Outcome[] = flags === UPDATE.EXIST && !mayExist ? [] : [failed(0)];
    if (flags === UPDATE.NOEXIST && mayExist) right.push(failed(ERRNO.EEXIST));
    if (flags === UPDATE.EXIST) right.push(failed(ERRNO.ENOENT));
    return oneOf(right, actual);
  }

  private judgeDelete(key: string, actual: Outcome): string | undefined {
    const candidate = this.candidates.get(key);
    this.candidates.delete(key);
    const right: Outcome[] = candidate === undefined ? [] : [failed(0)];
    if (candidate?.sure !== true) right.push(failed(ERRNO.ENOENT));
    return oneOf(right, actual);
  }

  private judgeWalk(from: string | undefined, actual: Outcome): string | undefined {
    const { keys } = actual;
    if (actual.errno !== 0 || keys === undefined) return `expected keys, got an error`;
    const order = differenceUnordered({ errno: 0, keys }, actual, from);
    return order ?? this.judgeContents(new Set(keys), keys.length);
  }

  private judgeEntries(actual: Outcome): string | undefined {
    if (actual.errno !== 0 || actual.entries === undefined) return `expected entries, got an error`;
    for (const [key, value] of actual.entries) {
      const expected = this.candidates.get(key)?.value;
      if (expected !== undefined && expected !== value) {
        return `${key}: expected ${expected}, got ${value}`;
      }
    }
    return this.judgeContents(new Set(actual.entries.map(([key]) => key)), actual.entries.length);
  }

  /** `present` is all that the map holds: nothing unknown, nothing twice, nothing sure missing. */
  private judgeContents(present: Set<string>, count: number): string | undefined {
    const unknown = [...present].find((key) => !this.candidates.has(key));
    if (unknown !== undefined) return `key ${unknown} was never written, or was deleted`;
    if (present.size !== count) return `a key came twice`;
    if (count > this.capacity()) return `${count} keys in a map of ${this.capacity()}`;
    for (const [key, candidate] of this.candidates) {
      if (candidate.sure && !present.has(key)) return `key ${key} must be there`;
      if (present.has(key)) candidate.sure = true;
      else this.candidates.delete(key);
    }
    return undefined;
  }

  private judgeUpdateBatch(
    call: Extract<MapCall, { kind: "update_batch" }>,
    actual: Outcome,
  ): string | undefined {
    if (call.flags !== 0) return difference({ errno: ERRNO.EINVAL, processed: 0 }, actual);
    for (const [index, key] of call.keys.entries()) {
      const problem = this.judgeUpdate(hex(key), hex(call.values[index]!), 0, failed(0));
      if (problem !== undefined) return problem;
    }
    return difference({ errno: 0, processed: call.keys.length }, actual);
  }

  private judgeDeleteBatch(keys: string[], actual: Outcome): string | undefined {
    const processed = actual.processed ?? -1;
    for (const key of keys.slice(0, processed)) {
      const problem = this.judgeDelete(key, failed(0));
      if (problem !== undefined) return problem;
    }
    const stopped = keys[processed];
    if (stopped === undefined || actual.errno === 0) {
      return difference({ errno: 0, processed: keys.length }, actual);
    }
    return this.judgeDelete(stopped, failed(actual.errno));
  }

  /** Without a common list every CPU has as many elements as the others. */
  private capacity(): number {
    const { flags, maxEntries } = this.spec;
    const { cpus } = this.context;
    return (flags & MAP_FLAG.NO_COMMON_LRU) === 0
      ? maxEntries
      : Math.ceil(maxEntries / cpus) * cpus;
  }
}

function oneOf(right: readonly Outcome[], actual: Outcome): string | undefined {
  if (right.some((outcome) => difference(outcome, actual) === undefined)) return undefined;
  return `expected ${right.map(describeOutcome).join(" or ")}, got ${describeOutcome(actual)}`;
}

/** A hash that makes room by dropping what was written longest ago. */
class StrictLru extends HashModel {
  protected override put(key: Uint8Array, value: Uint8Array, flags: number): number {
    if (flags > UPDATE.EXIST) return ERRNO.EINVAL;
    const full = this.values.size === this.spec.maxEntries;
    const oldest = this.values.keys().next().value;
    const inserts = !this.values.has(hex(key)) && flags !== UPDATE.EXIST;
    if (full && inserts && oldest !== undefined) this.values.delete(oldest);
    const errno = super.put(key, value, flags);
    if (errno !== 0) return errno;
    this.values.delete(hex(key));
    this.values.set(hex(key), hex(value));
    return 0;
  }
}

export const lruHashModel: MapModelType = {
  creationErrno: hashCreationErrno,
  create: (spec, context) => new LruHashModel(spec, context),
};

export const lruPercpuHashModel: MapModelType = lruHashModel;
