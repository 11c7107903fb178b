/**
 * Every difference that two backends may show. What is not here must be equal, byte for byte. Code
 * that tolerates a difference names its entry, so a search for the name finds all places.
 */

export interface AllowedDifference {
  /** What may differ. */
  readonly what: string;
  /** Where it shows: operations and map types. */
  readonly where: string;
  /** Why it cannot or should not be equal. */
  readonly reason: string;
  /** Kernels on which the real one shows it (`"all"`, `"< 6.13"`). */
  readonly kernels: string;
}

export const DIFFERENCES = {
  hashIterationOrder: {
    what: "the order in which keys come",
    where: "nextKey, lookupBatch and for_each of hash, percpu_hash, LRU hashes and hash_of_maps",
    reason: "it follows the kernel's hash function and its random seed; only the set is promised",
    kernels: "all",
  },
  hashBatchBucket: {
    what: "whether a batched lookup answers ENOSPC for a small count",
    where: "lookupBatch of hash, percpu_hash, LRU hashes and hash_of_maps",
    reason: "it depends on how many keys fall into one bucket; the caller asks again for more",
    kernels: "all",
  },
  lruVictims: {
    what: "which keys are evicted, and how many stay below the map's size",
    where: "lru_hash, lru_percpu_hash",
    reason: "victims follow per-CPU lists, batches and reference bits, and change between kernels",
    kernels: "all",
  },
  bloomFalsePositives: {
    what: "which values that were never pushed are found",
    where: "lookup of bloom_filter",
    reason: "it follows the hash function and its random seed",
    kernels: "all",
  },
  innerMapIds: {
    what: "the number that looking up an inner map answers",
    where: "lookup and lookupBatch of array_of_maps, hash_of_maps and prog_array",
    reason: "the kernel numbers its maps and programs across all processes",
    kernels: "all",
  },
  percpuPadding: {
    what: "whether the bytes that pad a CPU's value to a multiple of 8 are kept or read as zero",
    where: "values of percpu_hash, lru_percpu_hash and percpu_array as user space copies them",
    reason: "newer kernels copy the value alone; no program can see these bytes",
    kernels: ">= 7.0",
  },
  cpuInFlags: {
    what: "what flags without a meaning answer: those above 2, and those in the upper half",
    where: "update and lookup of all maps from user space",
    reason: "newer kernels take a CPU number there, and their per-CPU maps compare less strictly",
    kernels: ">= 7.0",
  },
  currentTask: {
    what: "who runs: process, thread, user, cgroup, namespaces, command",
    where: "records and state of collectors that are run on request",
    reason: "on a real kernel it is the process that asks for the run",
    kernels: "all",
  },
  clock: {
    what: "time stamps, and durations between two runs",
    where: "records and counters of collectors that are run on request",
    reason: "a real clock goes on between runs; the simulated one stands still",
    kernels: "all",
  },
  randomness: {
    what: "R of events that are not sampled by a key",
    where: "records of collectors",
    reason: "the kernel's generator cannot be seeded",
    kernels: "all",
  },
  cpuOfRun: {
    what: "the CPU of a run, and so the sequence number that the record gets there",
    where: "records of collectors that are run on request",
    reason: "a program of type syscall runs where its caller happens to be",
    kernels: "all",
  },
  exchangeUpperHalf: {
    what: "the upper half of r0 after a 32-bit compare-and-exchange that succeeded",
    where: "bare programs in which another path reaches what follows first",
    reason:
      "RFC 9669 zero-extends r0, and so does the kernel where it sees the 64-bit use; a path that its verifier " +
      "prunes is one where it does not, and x86 leaves the half as it was. The suites zero it themselves",
    kernels: "seen on 6.18",
  },
} as const satisfies Record<string, AllowedDifference>;

export type DifferenceName = keyof typeof DIFFERENCES;
