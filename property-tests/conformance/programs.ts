/**
 * The conformance suite of what programs see: helpers on maps, per-CPU slots, callbacks, tail calls.
 * The same objects run on every backend.
 */

import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Backend, BpfObject, MapSpec } from "#core/backend.ts";
import {
  describeMixed,
  type MixedOperation,
  mixedOperations,
  type ProgramOperation,
} from "#property-tests/arbitraries/program_operations.ts";
import { kernelFeatures } from "#property-tests/models/kernel_version.ts";
import type { MapModel, ModelContext } from "#property-tests/models/map_model.ts";
import { modelOf } from "#property-tests/models/map_models.ts";
import {
  type ProgramCall,
  ProgramModel,
  type ProgramOutcome,
} from "#property-tests/models/program_model.ts";
import { checkProperty } from "#property-tests/property.ts";
import { describeOutcome, perform } from "./map_call.ts";
import { type ConformanceOptions, timeLimits } from "./options.ts";
import { PROGRAM_OPERATION, runProgram } from "./program_abi.ts";
import { programScenarios } from "./program_scenarios.ts";
import {
  compileSubject,
  operationsOn,
  PROGRAM_SUBJECTS,
  type ProgramSubject,
  programOf,
} from "./program_subjects.ts";
import { keyBytes, resolve } from "./resolve.ts";

/** Of ten operations, this many are system calls between the programs' runs. */
const SYSTEM_CALLS_OF_TEN = 4;

/** Registers the suite. `makeBackend` is called once; the suite closes what it gets. */
export function programConformance(
  makeBackend: () => Promise<Backend>,
  options: ConformanceOptions,
): void {
  const kernel = kernelFeatures(options.kernelVersion);
  describe(`programs on ${options.label}`, timeLimits(), () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.close());

    for (const subject of PROGRAM_SUBJECTS) {
      if (subject.type === "bloom_filter" && !kernel.bloomFilter) continue;
      const operations = operationsOn(subject, kernel);
      test(`operations on ${subject.name} answer as its model`, () => {
        const object = compileSubject(subject);
        const programs = [...new Set(operations.map(programOf))];
        const property = fc.property(
          fc.constantFrom(1, 2, 3, 5),
          mixedOperations(operations, SYSTEM_CALLS_OF_TEN),
          (maxEntries, sequence) => {
            const opened = backend.open(object, { maxEntries: { subject: maxEntries }, programs });
            try {
              opened.load();
              compareWithModel(opened, subject, { kernel, cpus: backend.cpus, maps: [] }, sequence);
            } finally {
              opened.close();
            }
          },
        );
        checkProperty(`program operations: ${subject.name}`, property, options.runs);
      });
    }

    programScenarios(() => backend, kernel, options);
  });
}

/** Throws at the first answer that the model rejects, with all steps up to it. */
function compareWithModel(
  object: BpfObject,
  subject: ProgramSubject,
  context: ModelContext,
  sequence: readonly MixedOperation[],
): void {
  const { spec } = object.maps.get("subject")!;
  const model = modelOf(spec.type)!.create(spec, context);
  const programModel = new ProgramModel(model, context.cpus);
  const steps: string[] = [];
  for (const operation of sequence) {
    const problem =
      operation.kind === "system_call"
        ? stepOfUser(object, model, context, operation, steps)
        : stepOfProgram(object, programModel, context, operation, steps);
    if (problem !== undefined) {
      const heading = `${subject.name} of ${spec.maxEntries} entries`;
      throw new Error([heading, ...steps, `  ${problem}`].join("\n  "));
    }
  }
}

function stepOfUser(
  object: BpfObject,
  model: MapModel,
  context: ModelContext,
  step: Extract<MixedOperation, { kind: "system_call" }>,
  steps: string[],
): string | undefined {
  const call = resolve(step.operation, model.spec, context);
  const outcome = perform(object.maps.get("subject")!, call);
  steps.push(`${describeMixed(step)} → ${describeOutcome(outcome)}`);
  return model.judge(call, outcome);
}

function stepOfProgram(
  object: BpfObject,
  model: ProgramModel,
  { cpus, kernel }: ModelContext,
  operation: ProgramOperation,
  steps: string[],
): string | undefined {
  const { spec } = object.maps.get("subject")!;
  const call = callOf(operation, spec, cpus);
  const answer = runProgram(
    object,
    programOf(call.kind),
    { ...call, operation: PROGRAM_OPERATION[call.kind] },
    call.cpu,
  );
  steps.push(`${describeMixed(operation)} → ${answer.result}, value ${answer.value}`);
  const result = kernel.longMapResults ? answer.result : BigInt.asIntN(32, answer.result);
  const negative = result < 0n;
  const outcome: ProgramOutcome = {
    errno: negative ? Number(-result) : 0,
    count: negative ? 0 : Number(result),
    value: answer.value,
  };
  if (answer.returnValue !== 0) return `the program returned ${answer.returnValue}`;
  if (call.kind === "pop" && negative && answer.value !== 0n) {
    return "pop of an empty map must zero the value";
  }
  return model.judge(call, outcome);
}

function callOf(operation: ProgramOperation, spec: MapSpec, cpus: number): ProgramCall {
  const { kind, value, flags } = operation;
  const percpu = kind === "lookup_percpu";
  return {
    kind,
    key: keyBytes(operation.key, spec),
    value,
    flags,
    cpu: operation.cpu % cpus,
    limit: percpu ? operation.limit % (cpus + 2) : operation.limit,
  };
}
