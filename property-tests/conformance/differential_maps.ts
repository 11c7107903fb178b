/**
 * A real kernel against the simulated one, directly: the same random calls on a pair of maps must
 * answer alike. LRU hashes and Bloom filters choose at random what they forget or mix up
 * (`lruVictims`, `bloomFalsePositives`); the models judge those, on each side alone.
 */

import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Backend, MapSpec } from "#core/backend.ts";
import {
  describeOperation,
  type MapOperation,
  operationSequence,
} from "#property-tests/arbitraries/map_operations.ts";
import { describeSpec, legalSpec } from "#property-tests/arbitraries/map_specs.ts";
import { type KernelFeatures, kernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { KnownMap, ModelContext } from "#property-tests/models/map_model.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";
import { checkProperty } from "#property-tests/property.ts";
import { comparableOperations, comparableSpec } from "./comparable_operations.ts";
import { type DifferentialOptions, SIMULATED_VERSION } from "./differential.ts";
import { InnerMaps } from "./inner_maps.ts";
import { describeOutcome, type Outcome, perform } from "./map_call.ts";
import { timeLimits } from "./options.ts";
import { resolve } from "./resolve.ts";

const COMPARED: readonly ModelledType[] = [
  "array",
  "percpu_array",
  "hash",
  "percpu_hash",
  "lpm_trie",
  "queue",
  "stack",
  "array_of_maps",
  "hash_of_maps",
  "prog_array",
  "perf_event_array",
  "ringbuf",
];

/** `DIFFERENCES.hashIterationOrder`. */
const UNORDERED: readonly ModelledType[] = ["hash", "percpu_hash", "hash_of_maps"];

/** One side of the pair. */
interface Side {
  readonly backend: Backend;
  readonly innerMaps: InnerMaps;
}

/** Registers the suite. The backends are the real kernel and the simulated one. */
export function differentialMaps(
  makeBackends: () => Promise<readonly Backend[]>,
  options: DifferentialOptions,
): void {
  const simulated = kernelFeatures(SIMULATED_VERSION);
  const real = kernelFeatures(options.kernelVersion);
  describe(`maps of ${options.label} and simulated ones`, timeLimits(), () => {
    let sides: readonly Side[] = [];
    beforeAll(async () => {
      const backends = await makeBackends();
      sides = backends.map((backend) => ({ backend, innerMaps: new InnerMaps(backend) }));
    });
    afterAll(() => {
      for (const { innerMaps, backend } of sides) {
        innerMaps.close();
        backend.close();
      }
    });

    for (const type of COMPARED) {
      test(`${type}: operations answer alike`, () => {
        const mapCase = fc.tuple(legalSpec(type), operationSequence);
        const property = fc.property(mapCase, ([anySpec, sequence]) => {
          const spec = comparableSpec(anySpec, type, real, simulated);
          const operations = comparableOperations(sequence, spec, type, real, simulated);
          comparePair(sides, real, type, spec, operations);
        });
        const name = `differential map operations: ${type}`;
        options.compared?.(type, checkProperty(name, property, options.runs));
      });
    }
  });
}

/** Throws at the first call that the two answer differently, with all calls up to it. */
function comparePair(
  sides: readonly Side[],
  kernel: KernelFeatures,
  type: ModelledType,
  spec: MapSpec,
  operations: readonly MapOperation[],
): void {
  const opened = sides.map(({ backend, innerMaps }) => {
    const maps = innerMaps.knownTo(spec);
    const context: ModelContext = { kernel, cpus: backend.cpus, maps };
    return { map: backend.createMap(spec), context, maps };
  });
  const steps: string[] = [];
  try {
    for (const operation of operations) {
      const [real, simulated] = opened.map(({ map, context, maps }) =>
        comparable(perform(map, resolve(operation, spec, context)), type, maps),
      );
      steps.push(`${describeOperation(operation)} → ${describeOutcome(real!)}`);
      if (JSON.stringify(real) === JSON.stringify(simulated)) continue;
      const other = `  the simulated kernel: ${describeOutcome(simulated!)}`;
      throw new Error([describeSpec(spec), ...steps, other].join("\n  "));
    }
  } finally {
    for (const { map } of opened) map.close();
  }
}

/** The outcome without what may differ. */
function comparable(outcome: Outcome, type: ModelledType, maps: readonly KnownMap[]): Outcome {
  const named = withNames(outcome, maps);
  if (!UNORDERED.includes(type)) return named;
  const { after: _, ...rest } = named;
  return {
    ...rest,
    ...(rest.keys === undefined ? {} : { keys: rest.keys.toSorted() }),
    ...(rest.entries === undefined
      ? {}
      : { entries: rest.entries.toSorted(([one], [other]) => (one < other ? -1 : 1)) }),
  };
}

/** `DIFFERENCES.innerMapIds`: numbers of inner maps become names. */
function withNames(outcome: Outcome, maps: readonly KnownMap[]): Outcome {
  if (maps.length === 0) return outcome;
  const name = (value: string) => {
    const index = maps.findIndex(({ lookedUp }) => lookedUp === value);
    return index < 0 ? value : `inner map ${index}`;
  };
  return {
    ...outcome,
    ...(outcome.value === undefined ? {} : { value: name(outcome.value) }),
    ...(outcome.entries === undefined
      ? {}
      : { entries: outcome.entries.map(([key, value]) => [key, name(value)] as const) }),
  };
}
