/**
 * Every property of this folder, once, with what it may cost: runs at a commit (`smoke`; a tenth of
 * it is `quick`) and at night. A property that is not listed cannot run, one that is listed and
 * never checked fails the registry's test.
 */

export interface RegisteredProperty {
  readonly name: string;
  /** Runs at every commit. */
  readonly smokeRuns: number;
  /** Runs at night and against a real kernel. */
  readonly nightlyRuns: number;
}

const MAP_TYPES = [
  "array",
  "percpu_array",
  "hash",
  "percpu_hash",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "queue",
  "stack",
  "bloom_filter",
  "array_of_maps",
  "hash_of_maps",
  "prog_array",
  "perf_event_array",
  "ringbuf",
];

/** What may be forgotten or mixed up at random is judged by the models alone (vm-tests/suites). */
const DIFFERENTIAL_TYPES = MAP_TYPES.filter(
  (type) => !["lru_hash", "lru_percpu_hash", "bloom_filter"].includes(type),
);

/** A kernel waits for all its readers whenever an inner map is replaced. */
const SLOW_TYPES = ["array_of_maps", "hash_of_maps"];

const CROWD_TYPES = ["hash", "percpu_hash", "lru_hash", "lru_percpu_hash", "lpm_trie"];

const PROGRAM_SUBJECTS = [
  "array",
  "percpu_array",
  "hash",
  "hash without preallocation",
  "percpu_hash",
  "percpu_hash without preallocation",
  "lru_hash",
  "lru_hash without a common list",
  "lpm_trie",
  "queue",
  "stack",
  "bloom_filter",
];

export const PROPERTIES: readonly RegisteredProperty[] = [
  { name: "canary", smokeRuns: 200, nightlyRuns: 200 },
  { name: "ring buffer", smokeRuns: 1_000, nightlyRuns: 100_000 },
  { name: "random programs end on the reference", smokeRuns: 200, nightlyRuns: 10_000 },
  { name: "random programs: ubpf", smokeRuns: 300, nightlyRuns: 100_000 },
  { name: "nearly valid programs: ubpf", smokeRuns: 500, nightlyRuns: 100_000 },
  { name: "steps of random programs: aot", smokeRuns: 100, nightlyRuns: 10_000 },
  { name: "counts of random programs: aot", smokeRuns: 100, nightlyRuns: 10_000 },
  { name: "random programs: aot", smokeRuns: 300, nightlyRuns: 100_000 },
  { name: "random programs agree", smokeRuns: 500, nightlyRuns: 1_000_000 },
  { name: "accesses without a check", smokeRuns: 500, nightlyRuns: 300_000 },
  { name: "nearly valid programs: aot", smokeRuns: 500, nightlyRuns: 100_000 },
  { name: "trace round trip", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "trace followed by junk", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "trace read through a thread", smokeRuns: 8, nightlyRuns: 200 },
  { name: "trace with a resealed change", smokeRuns: 1_000, nightlyRuns: 100_000 },
  { name: "trace import equals a sort in memory", smokeRuns: 100, nightlyRuns: 5_000 },
  { name: "trace import keeps calls of a thread apart", smokeRuns: 50, nightlyRuns: 2_000 },
  ...MAP_TYPES.map((type) => ({
    name: `map operations: ${type}`,
    smokeRuns: 200,
    nightlyRuns: 10_000,
  })),
  ...DIFFERENTIAL_TYPES.map((type) => ({
    name: `differential map operations: ${type}`,
    smokeRuns: SLOW_TYPES.includes(type) ? 40 : 200,
    nightlyRuns: 10_000,
  })),
  { name: "differential ring schedules", smokeRuns: 50, nightlyRuns: 10_000 },
  { name: "differential programs", smokeRuns: 200, nightlyRuns: 10_000 },
  { name: "differential collectors", smokeRuns: 50, nightlyRuns: 10_000 },
  { name: "differential variants", smokeRuns: 50, nightlyRuns: 10_000 },
  ...MAP_TYPES.map((type) => ({
    name: `map creation: ${type}`,
    smokeRuns: 100,
    nightlyRuns: 2_000,
  })),
  ...CROWD_TYPES.map((type) => ({
    name: `map crowds: ${type}`,
    smokeRuns: 10,
    nightlyRuns: 1_000,
  })),
  ...PROGRAM_SUBJECTS.map((subject) => ({
    name: `program operations: ${subject}`,
    smokeRuns: 50,
    nightlyRuns: 5_000,
  })),
  { name: "btf: parsed types are those that were written", smokeRuns: 500, nightlyRuns: 50_000 },
  { name: "btf: values decode as a bit-by-bit reading", smokeRuns: 500, nightlyRuns: 50_000 },
  { name: "btf: values encode to the bytes they came from", smokeRuns: 500, nightlyRuns: 50_000 },
  { name: "btf: fields read as a bit-by-bit reading", smokeRuns: 300, nightlyRuns: 30_000 },
  { name: "btf: fields write their bits and no others", smokeRuns: 300, nightlyRuns: 30_000 },
  { name: "btf: layouts agree with the compiler", smokeRuns: 4, nightlyRuns: 400 },
  { name: "btf: damaged types are parsed or refused", smokeRuns: 3_000, nightlyRuns: 300_000 },
  {
    name: "btf: damaged types written by hand are parsed or refused",
    smokeRuns: 500,
    nightlyRuns: 50_000,
  },
  { name: "btf: damaged line info is parsed or refused", smokeRuns: 3_000, nightlyRuns: 300_000 },
  { name: "loader survives damaged objects", smokeRuns: 2_000, nightlyRuns: 500_000 },
  { name: "loader agrees with libbpf on CO-RE", smokeRuns: 25, nightlyRuns: 5_000 },
  { name: "programs that run pass the load-time checks", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "statistics over schedules", smokeRuns: 500, nightlyRuns: 100_000 },
  { name: "kernel sampling decision", smokeRuns: 60, nightlyRuns: 20_000 },
  { name: "estimators merge", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "live quantiles", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "rate limits are bounded", smokeRuns: 60, nightlyRuns: 20_000 },
  { name: "batch processor", smokeRuns: 200, nightlyRuns: 50_000 },
  { name: "lanes", smokeRuns: 200, nightlyRuns: 50_000 },
  { name: "log delivery", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "ring reserve", smokeRuns: 15, nightlyRuns: 5_000 },
  { name: "shedding: sinks that keep up", smokeRuns: 6, nightlyRuns: 2_000 },
  { name: "shedding: overload", smokeRuns: 6, nightlyRuns: 2_000 },
  { name: "shedding: full memory", smokeRuns: 6, nightlyRuns: 2_000 },
  { name: "pipeline books", smokeRuns: 60, nightlyRuns: 20_000 },
  { name: "structured code follows the graph", smokeRuns: 500, nightlyRuns: 200_000 },
  { name: "dominators are what paths show", smokeRuns: 300, nightlyRuns: 100_000 },
  { name: "graphs are made reducible", smokeRuns: 500, nightlyRuns: 100_000 },
  { name: "engines agree on recordings", smokeRuns: 30, nightlyRuns: 10_000 },
  { name: "pipeline determinism", smokeRuns: 20, nightlyRuns: 5_000 },
  { name: "ring operations of programs", smokeRuns: 50, nightlyRuns: 10_000 },
  { name: "quantile sketch accuracy", smokeRuns: 100, nightlyRuns: 20_000 },
  { name: "quantile sketch merge", smokeRuns: 300, nightlyRuns: 50_000 },
  { name: "quantile sketch collapse", smokeRuns: 300, nightlyRuns: 50_000 },
  { name: "quantile sketch rank", smokeRuns: 50, nightlyRuns: 20_000 },
  { name: "log on a failing disk", smokeRuns: 300, nightlyRuns: 100_000 },
  { name: "columnar round trip", smokeRuns: 100, nightlyRuns: 20_000 },
  { name: "columnar blocks that were resealed", smokeRuns: 300, nightlyRuns: 100_000 },
  { name: "moments merge", smokeRuns: 500, nightlyRuns: 100_000 },
  { name: "filter generations", smokeRuns: 15, nightlyRuns: 20_000 },
  { name: "filter networks", smokeRuns: 200, nightlyRuns: 20_000 },
  { name: "filter verdicts: aot", smokeRuns: 40, nightlyRuns: 4_000 },
  { name: "filter verdicts: ubpf", smokeRuns: 10, nightlyRuns: 400 },
  { name: "filter verdicts: kernel", smokeRuns: 40, nightlyRuns: 400 },
];
