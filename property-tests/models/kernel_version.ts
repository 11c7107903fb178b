/** What the semantics of maps depend on: the kernel whose behaviour a backend has to show. */

export interface KernelFeatures {
  /** `lookupAndDelete` of the hash maps (5.14). */
  readonly hashLookupAndDelete: boolean;
  /** Batches of per-CPU arrays and LPM tries (5.13). */
  readonly percpuArrayBatch: boolean;
  readonly lpmTrieBatch: boolean;
  /** Batches of arrays and hashes of maps (5.19). */
  readonly mapInMapBatch: boolean;
  /** Batched lookup skips empty slots (6.14, and stable series that took it); before, EINTR. */
  readonly batchSkipsMissing: boolean;
  /** Bloom filter maps (5.16). */
  readonly bloomFilter: boolean;
  /**
   * LPM tries honour NOEXIST and EXIST (6.13, and stable series down to 5.10 that took the fix), and
   * overwrite on a full trie (the same, but not 5.10).
   */
  readonly lpmTrieUpdateFlags: boolean;
  readonly lpmTrieOverwritesFull: boolean;
  /** Helpers: bpf_for_each_map_elem (5.13), bpf_loop (5.17), bpf_map_lookup_percpu_elem (5.19). */
  readonly forEachHelper: boolean;
  readonly loopHelper: boolean;
  readonly lookupPercpuHelper: boolean;
  /** bpf_ringbuf_reserve_dynptr and what belongs to it (5.19). */
  readonly dynptrHelpers: boolean;
  /**
   * A program sees all 64 bits of what a map operation answers (6.4). Before, it answers an int, and
   * the upper half of a negative one reads as zero.
   */
  readonly longMapResults: boolean;
  /**
   * The upper half of an update's flags names a CPU (7.0): without the flag that says so it is refused
   * before anything else is looked at.
   */
  readonly cpuInFlags: boolean;
  /** Per-CPU values keep the bytes that pad them to a multiple of 8 (before 7.0); now they read as 0. */
  readonly percpuPaddingKept: boolean;
  /** Programs of type syscall (5.14), which run on request with any context. */
  readonly syscallPrograms: boolean;
  /** Instructions: atomics that fetch, or are no addition (5.12); version 4 (6.6); load-acquire and
   * store-release (6.15). */
  readonly allAtomics: boolean;
  readonly instructions4: boolean;
  readonly orderedAccesses: boolean;
  /** A task may be preempted, and moved, between two programs at one tracepoint (7.0). */
  readonly preemptibleTracepoints: boolean;
}

type Version = readonly [major: number, minor: number, patch: number];

/** Stable releases from which batched lookups skip empty slots. */
const SKIPPING_SERIES: readonly Version[] = [
  [6, 13, 5],
  [6, 12, 17],
  [6, 6, 80],
  [6, 1, 130],
];

/** Stable releases from which LPM tries honour the flags of an update. */
const UPDATE_FLAGS_SERIES: readonly Version[] = [
  [6, 12, 5],
  [6, 6, 66],
  [6, 1, 120],
  [5, 15, 174],
  [5, 10, 231],
];

/** Features of `version` (`"5.10.262"`, `"6.18"`, or `uname -r`'s longer form). */
export function kernelFeatures(version: string): KernelFeatures {
  const kernel = parseVersion(version);
  const series = (from: Version) => inSeries(kernel, from);
  return {
    hashLookupAndDelete: atLeast(kernel, [5, 14, 0]),
    percpuArrayBatch: atLeast(kernel, [5, 13, 0]),
    lpmTrieBatch: atLeast(kernel, [5, 13, 0]),
    mapInMapBatch: atLeast(kernel, [5, 19, 0]),
    batchSkipsMissing: atLeast(kernel, [6, 14, 0]) || SKIPPING_SERIES.some(series),
    bloomFilter: atLeast(kernel, [5, 16, 0]),
    lpmTrieUpdateFlags: atLeast(kernel, [6, 13, 0]) || UPDATE_FLAGS_SERIES.some(series),
    lpmTrieOverwritesFull:
      atLeast(kernel, [6, 13, 0]) ||
      (atLeast(kernel, [6, 0, 0]) && UPDATE_FLAGS_SERIES.some(series)),
    forEachHelper: atLeast(kernel, [5, 13, 0]),
    loopHelper: atLeast(kernel, [5, 17, 0]),
    dynptrHelpers: atLeast(kernel, [5, 19, 0]),
    lookupPercpuHelper: atLeast(kernel, [5, 19, 0]),
    longMapResults: atLeast(kernel, [6, 4, 0]),
    cpuInFlags: atLeast(kernel, [7, 0, 0]),
    percpuPaddingKept: !atLeast(kernel, [7, 0, 0]),
    syscallPrograms: atLeast(kernel, [5, 14, 0]),
    allAtomics: atLeast(kernel, [5, 12, 0]),
    instructions4: atLeast(kernel, [6, 6, 0]),
    orderedAccesses: atLeast(kernel, [6, 15, 0]),
    preemptibleTracepoints: atLeast(kernel, [7, 0, 0]),
  };
}

function parseVersion(version: string): Version {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  if (match === null) throw new Error(`kernel version "${version}": not like "6.12" or "5.10.262"`);
  return [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

function atLeast(kernel: Version, [major, minor, patch]: Version): boolean {
  if (kernel[0] !== major) return kernel[0] > major;
  if (kernel[1] !== minor) return kernel[1] > minor;
  return kernel[2] >= patch;
}

/** The same stable series, at this patch level or later. */
function inSeries(kernel: Version, from: Version): boolean {
  return kernel[0] === from[0] && kernel[1] === from[1] && kernel[2] >= from[2];
}
