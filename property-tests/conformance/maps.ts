/**
 * The conformance suite of maps: any backend against the models. The same properties run on the
 * simulated kernel, the real one and the models themselves.
 */

import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { BpfMap, MapSpec } from "#core/backend.ts";
import { BpfError, errnoCode } from "#core/errors.ts";
import {
  crowdSequence,
  describeOperation,
  type MapOperation,
  operationSequence,
} from "#property-tests/arbitraries/map_operations.ts";
import {
  anySpec,
  crowdSpec,
  describeSpec,
  legalSpec,
} from "#property-tests/arbitraries/map_specs.ts";
import { type KernelFeatures, kernelFeatures } from "#property-tests/models/kernel_version.ts";
import { type ModelContext, valueBytesOf } from "#property-tests/models/map_model.ts";
import {
  creationErrno,
  MODELLED_TYPES,
  type ModelledType,
  modelOf,
} from "#property-tests/models/map_models.ts";
import type { MapBackend } from "#property-tests/models/model_backend.ts";
import { checkProperty } from "#property-tests/property.ts";
import { InnerMaps } from "./inner_maps.ts";
import { describeOutcome, type Outcome, perform } from "./map_call.ts";
import { memoryScenarios } from "./map_memory_scenarios.ts";
import { mapScenarios } from "./map_scenarios.ts";
import { type MapConformanceOptions, timeLimits } from "./options.ts";
import { resolve } from "./resolve.ts";

/** Types whose structure grows with the number of keys. */
const CROWD_TYPES: readonly ModelledType[] = [
  "hash",
  "percpu_hash",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
];

/** Registers the suite. `makeBackend` is called once; the suite closes what it gets. */
export function mapConformance(
  makeBackend: () => Promise<MapBackend>,
  options: MapConformanceOptions,
): void {
  const kernel = kernelFeatures(options.kernelVersion);
  const types = options.types ?? MODELLED_TYPES;
  const existing = types.filter((type) => type !== "bloom_filter" || kernel.bloomFilter);
  describe(`maps of ${options.label}`, timeLimits(), () => {
    let backend: MapBackend;
    let innerMaps: InnerMaps;
    const contextOf = (spec: MapSpec): ModelContext => ({
      kernel,
      cpus: backend.cpus,
      maps: innerMaps.knownTo(spec),
    });

    beforeAll(async () => {
      backend = await makeBackend();
      innerMaps = new InnerMaps(backend);
    });
    afterAll(() => {
      innerMaps.close();
      backend.close();
    });

    for (const type of existing) {
      test(`operations on ${type} answer as its model`, () => {
        const mapCase = fc.tuple(legalSpec(type), operationSequence);
        const property = fc.property(mapCase, ([spec, operations]) =>
          compareWithModel(backend, contextOf(spec), spec, operations),
        );
        checkProperty(`map operations: ${type}`, property, options.runs);
      });
    }

    for (const type of existing.filter((type) => CROWD_TYPES.includes(type))) {
      test(`crowds in ${type} answer as its model`, () => {
        const crowd = fc.tuple(crowdSpec(type), crowdSequence);
        const property = fc.property(crowd, ([spec, operations]) =>
          compareWithModel(backend, contextOf(spec), spec, operations),
        );
        checkProperty(`map crowds: ${type}`, property, options.runs);
      });
    }

    for (const type of types) {
      test(`creation of ${type} is refused exactly where the kernel refuses it`, () => {
        const property = fc.property(anySpec(type), (spec) =>
          compareCreation(backend, kernel, spec),
        );
        checkProperty(`map creation: ${type}`, property, options.runs);
      });
    }

    mapScenarios(() => backend, existing);
    if (options.mapsMemory !== false) memoryScenarios(() => backend);
  });
}

/** Throws at the first answer that the model rejects, with all calls up to it. */
export function compareWithModel(
  backend: MapBackend,
  context: ModelContext,
  spec: MapSpec,
  operations: readonly MapOperation[],
): void {
  const model = modelOf(spec.type)!.create(spec, context);
  const map = backend.createMap(spec);
  const outcomes: Outcome[] = [];
  try {
    for (const operation of operations) {
      const call = resolve(operation, spec, context);
      const outcome = perform(map, call);
      outcomes.push(outcome);
      const problem = model.judge(call, outcome);
      if (problem !== undefined)
        throw new Error(describeSteps(spec, operations, outcomes, problem));
    }
  } finally {
    map.close();
  }
}

function describeSteps(
  spec: MapSpec,
  operations: readonly MapOperation[],
  outcomes: readonly Outcome[],
  problem: string,
): string {
  const steps = outcomes.map(
    (outcome, index) => `${describeOperation(operations[index]!)} → ${describeOutcome(outcome)}`,
  );
  return [describeSpec(spec), ...steps, `  ${problem}`].join("\n  ");
}

function compareCreation(backend: MapBackend, kernel: KernelFeatures, spec: MapSpec): void {
  const expected = creationErrno(spec, kernel);
  const { errno, map } = tryCreate(backend, spec);
  const wrongSize = map !== undefined && map.valueBytes !== valueBytesOf(spec, backend.cpus);
  map?.close();
  if (errno !== expected) {
    const names = [expected, errno].map((number) => (number === 0 ? "ok" : errnoCode(number)));
    throw new Error(`${describeSpec(spec)}: expected ${names[0]}, got ${names[1]}`);
  }
  if (wrongSize) throw new Error(`${describeSpec(spec)}: valueBytes is ${map.valueBytes}`);
}

function tryCreate(backend: MapBackend, spec: MapSpec): { errno: number; map?: BpfMap } {
  try {
    return { errno: 0, map: backend.createMap(spec) };
  } catch (error) {
    if (!(error instanceof BpfError) || error.errno === 0) throw error;
    return { errno: error.errno };
  }
}
