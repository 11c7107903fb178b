/** The suite against the models themselves, and against models that are broken on purpose. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { operationSequence } from "#property-tests/arbitraries/map_operations.ts";
import { legalSpec } from "#property-tests/arbitraries/map_specs.ts";
import { kernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { MapModel } from "#property-tests/models/map_model.ts";
import type { ModelledType } from "#property-tests/models/map_models.ts";
import { ModelBackend } from "#property-tests/models/model_backend.ts";
import type { MapCall, Outcome } from "./map_call.ts";
import { compareWithModel, mapConformance } from "./maps.ts";

for (const kernelVersion of ["5.10", "6.18"]) {
  mapConformance(() => Promise.resolve(new ModelBackend({ kernelVersion })), {
    label: `the model of Linux ${kernelVersion}`,
    kernelVersion,
    mapsMemory: false,
  });
}

/** A defect: replaces some answers of a right model. */
type Defect = (call: MapCall, outcome: Outcome) => Outcome;

const DEFECTS: readonly [type: ModelledType, what: string, defect: Defect][] = [
  ["array", "zeroed value", (call, outcome) => withValue(call, outcome, "lookup")],
  ["array", "E2BIG as EINVAL", errnoInstead(ERRNO.E2BIG, ERRNO.EINVAL)],
  ["percpu_array", "zeroed value", (call, outcome) => withValue(call, outcome, "lookup")],
  ["hash", "full map accepts", errnoInstead(ERRNO.E2BIG, 0)],
  ["hash", "EEXIST as ENOENT", errnoInstead(ERRNO.EEXIST, ERRNO.ENOENT)],
  ["hash", "walk that drops the first key", (_call, outcome) => withoutFirstKey(outcome)],
  ["percpu_hash", "delete of nothing is done", errnoInstead(ERRNO.ENOENT, 0, "delete")],
  ["lru_hash", "newest key gone", errnoInstead(0, ERRNO.ENOENT, "lookup")],
  ["lru_hash", "walk that drops the first key", (_call, outcome) => withoutFirstKey(outcome)],
  ["lru_percpu_hash", "EEXIST as done", errnoInstead(ERRNO.EEXIST, 0)],
  ["lpm_trie", "ENOSPC as E2BIG", errnoInstead(ERRNO.ENOSPC, ERRNO.E2BIG)],
  ["lpm_trie", "walk that drops the first key", (_call, outcome) => withoutFirstKey(outcome)],
  ["queue", "full queue drops silently", errnoInstead(ERRNO.E2BIG, 0)],
  ["stack", "peek as if empty", errnoInstead(0, ERRNO.ENOENT, "lookup")],
  ["bloom_filter", "false negative", errnoInstead(0, ERRNO.ENOENT, "lookup")],
  ["prog_array", "EBADF as EINVAL", errnoInstead(ERRNO.EBADF, ERRNO.EINVAL)],
  ["ringbuf", "ENOTSUPP as EINVAL", errnoInstead(ERRNO.ENOTSUPP, ERRNO.EINVAL)],
];

describe("the suite notices", () => {
  test.each(DEFECTS)("%s: %s", (type, _what, defect) => {
    const backend = new ModelBackend({ wrap: (model) => withDefect(model, defect) });
    const context = { kernel: kernelFeatures("6.18"), cpus: backend.cpus, maps: [] };
    const property = fc.property(legalSpec(type), operationSequence, (spec, operations) =>
      compareWithModel(backend, context, spec, operations),
    );
    const { failed, counterexample } = fc.check(property, { numRuns: 500, seed: 1 });
    expect(failed).toBe(true);
    // Shrunk: no defect of the list needs a map of 16 entries filled key by key.
    expect(counterexample![1].length).toBeLessThanOrEqual(6);
  });

  test("a map that is created although its description is refused", () => {
    const backend = new ModelBackend();
    const spec = {
      name: "odd",
      type: MAP_TYPE.ringbuf,
      keySize: 0,
      valueSize: 0,
      maxEntries: 4097,
    };
    expect(() => backend.createMap({ ...spec, flags: 0 })).toThrow(/EINVAL/);
  });
});

function withDefect(model: MapModel, defect: Defect): MapModel {
  return {
    spec: model.spec,
    apply: (call) => defect(call, model.apply(call)),
    judge: (call, actual) => model.judge(call, actual),
  };
}

function errnoInstead(errno: number, instead: number, kind?: MapCall["kind"]): Defect {
  return (call, outcome) => {
    const affected = outcome.errno === errno && (kind === undefined || call.kind === kind);
    return affected ? { ...outcome, errno: instead } : outcome;
  };
}

function withValue(call: MapCall, outcome: Outcome, kind: MapCall["kind"]): Outcome {
  if (call.kind !== kind || outcome.value === undefined) return outcome;
  return { ...outcome, value: outcome.value.replaceAll(/[^0]/g, "0") };
}

function withoutFirstKey(outcome: Outcome): Outcome {
  if (outcome.keys === undefined) return outcome;
  return {
    ...outcome,
    keys: outcome.keys.slice(1),
    ...(outcome.after && { after: outcome.after }),
  };
}
