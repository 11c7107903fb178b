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
  flagsAfterAccess: {
    what: "EPERM instead of EINVAL for flags without a meaning",
    where: "lookup in maps that user space may not read",
    reason: "newer kernels look at the descriptor's access before they look at the flags",
    kernels: ">= 7.0",
  },
  hashLookupAndDelete: {
    what: "that lookup-and-delete is not supported",
    where: "hash, percpu_hash, hash_of_maps",
    reason: "it came later; the simulated kernel has it",
    kernels: "< 5.14",
  },
  percpuArrayBatch: {
    what: "that batches are not supported",
    where: "percpu_array",
    reason: "they came later; the simulated kernel has them",
    kernels: "< 5.13",
  },
  lpmTrieBatch: {
    what: "that batches are not supported",
    where: "lpm_trie",
    reason: "they came later; the simulated kernel has them",
    kernels: "< 5.13",
  },
  mapInMapBatch: {
    what: "that batches are not supported",
    where: "array_of_maps, hash_of_maps, prog_array, perf_event_array",
    reason: "they came later; the simulated kernel has them",
    kernels: "< 5.19",
  },
  batchSkipsMissing: {
    what: "that a batched lookup fails at an empty slot",
    where: "lookupBatch of array_of_maps",
    reason: "a defect that was repaired: later kernels, and the simulated one, skip the slot",
    kernels: "< 6.14 but for stable releases that took the repair (6.12.17, 6.6.80, 6.1.130)",
  },
  lpmTrieUpdateFlags: {
    what: "that NOEXIST and EXIST are taken for ANY",
    where: "update of lpm_trie",
    reason: "a defect that was repaired",
    kernels: "< 6.13 but for stable releases that took the repair (5.10.231 and others)",
  },
  lpmTrieOverwritesFull: {
    what: "whether a full trie lets the value of a key that is there be replaced",
    where: "update of lpm_trie",
    reason: "a defect that was repaired; tries of the suite are never full on these kernels",
    kernels: "< 6.0, and < 6.13 but for stable releases that took the repair (6.12.5 and others)",
  },
  currentTask: {
    what: "who runs: process, thread, user, cgroup, namespaces, command",
    where: "records and state of collectors that are run on request",
    reason: "on a real kernel it is the process that asks for the run",
    kernels: "all",
  },
  retransmitFamily: {
    what: "the address family of a retransmit, which is 0",
    where: "records of the TCP collector that is run on request",
    reason: "the hook does not say it yet, and there is no socket to read it from",
    kernels: "< 5.16",
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
  cpuOfObserver: {
    what: "the CPU of an event that two programs at one tracepoint see",
    where: "recorded traffic, and what a collector saw of it live",
    reason:
      "tracepoints no longer disable preemption while their programs run, one after the other, so the task may move " +
      "to another CPU in between; each program stays on one",
    kernels: ">= 7.0",
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
