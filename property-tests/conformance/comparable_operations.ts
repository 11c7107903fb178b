/**
 * Which of a sequence's operations a real kernel must answer as the simulated one does: all but those
 * that its version answers otherwise. The models say how, and the conformance suite checks that.
 */
import { MAP_FLAG, type MapSpec, UPDATE } from "#core/backend.ts";
import type { MapOperation } from "#property-tests/arbitraries/map_operations.ts";
import { type AllowedDifference, DIFFERENCES } from "#property-tests/differences.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";

interface VersionDifference {
  readonly allowed: AllowedDifference;
  readonly feature: keyof KernelFeatures;
  /** Types that it concerns; default all. */
  readonly types?: readonly ModelledType[];
  readonly concerns: (operation: MapOperation, spec: MapSpec) => boolean;
}

const HASHES: readonly ModelledType[] = ["hash", "percpu_hash", "hash_of_maps"];
const OF_DESCRIPTORS: readonly ModelledType[] = [
  "array_of_maps",
  "hash_of_maps",
  "prog_array",
  "perf_event_array",
];

const isBatch = ({ kind }: MapOperation) => kind.endsWith("_batch");
const hasFlags = (operation: MapOperation) => "flags" in operation && operation.flags !== 0;
const hasUnknownFlags = (operation: MapOperation) =>
  "flags" in operation && operation.flags > UPDATE.EXIST;

const VERSION_DIFFERENCES: readonly VersionDifference[] = [
  {
    allowed: DIFFERENCES.hashLookupAndDelete,
    feature: "hashLookupAndDelete",
    types: HASHES,
    concerns: ({ kind }) => kind === "lookup_and_delete",
  },
  {
    allowed: DIFFERENCES.percpuArrayBatch,
    feature: "percpuArrayBatch",
    types: ["percpu_array"],
    concerns: isBatch,
  },
  {
    allowed: DIFFERENCES.lpmTrieBatch,
    feature: "lpmTrieBatch",
    types: ["lpm_trie"],
    concerns: isBatch,
  },
  {
    allowed: DIFFERENCES.mapInMapBatch,
    feature: "mapInMapBatch",
    types: OF_DESCRIPTORS,
    concerns: isBatch,
  },
  {
    allowed: DIFFERENCES.batchSkipsMissing,
    feature: "batchSkipsMissing",
    types: ["array_of_maps"],
    concerns: ({ kind }) => kind === "lookup_batch",
  },
  {
    allowed: DIFFERENCES.lpmTrieUpdateFlags,
    feature: "lpmTrieUpdateFlags",
    types: ["lpm_trie"],
    concerns: hasFlags,
  },
  {
    allowed: DIFFERENCES.flagsAfterAccess,
    feature: "cpuInFlags",
    concerns: (operation, { flags }) =>
      operation.kind === "lookup" && operation.flags !== 0 && (flags & MAP_FLAG.WRONLY) !== 0,
  },
  { allowed: DIFFERENCES.cpuInFlags, feature: "cpuInFlags", concerns: hasUnknownFlags },
];

/** More keys than a sequence can bring. */
const NEVER_FULL = 1 << 16;

/** The operations on this map that both kernels answer alike. */
export function comparableOperations(
  operations: readonly MapOperation[],
  spec: MapSpec,
  type: ModelledType,
  real: KernelFeatures,
  simulated: KernelFeatures,
): readonly MapOperation[] {
  const differences = VERSION_DIFFERENCES.filter(
    ({ feature, types }) => real[feature] !== simulated[feature] && (types?.includes(type) ?? true),
  );
  return operations.filter(
    (operation) => !differences.some(({ concerns }) => concerns(operation, spec)),
  );
}

/** The map; where full tries answer otherwise (`DIFFERENCES.lpmTrieOverwritesFull`), one that never is. */
export function comparableSpec(
  spec: MapSpec,
  type: ModelledType,
  real: KernelFeatures,
  simulated: KernelFeatures,
): MapSpec {
  const alike = real.lpmTrieOverwritesFull === simulated.lpmTrieOverwritesFull;
  return alike || type !== "lpm_trie" ? spec : { ...spec, maxEntries: NEVER_FULL };
}
