/** The same schedule of producers and a consumer on a real ring and on a simulated one. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Backend, BpfObject, RingReader } from "#core/backend.ts";
import {
  describeRingOperation,
  ringOperations,
} from "#property-tests/arbitraries/ring_operations.ts";
import { hex } from "#property-tests/models/bytes.ts";
import type { KernelFeatures } from "#property-tests/models/kernel_version.ts";
import { ProgramRingModel, type RingOperation } from "#property-tests/models/program_ring.ts";
import { checkProperty } from "#property-tests/property.ts";
import { closePair, type DifferentialOptions, type MakePair, type Pair } from "./differential.ts";
import { timeLimits } from "./options.ts";
import { openRing, produce } from "./rings.ts";

/** One of the two rings, and its share of what is known. */
interface Side {
  readonly object: BpfObject;
  readonly ring: RingReader;
}

export function differentialRings(
  makePair: MakePair,
  options: DifferentialOptions,
  { dynptrHelpers }: KernelFeatures,
): void {
  describe(`rings of ${options.label} and simulated ones`, timeLimits(), () => {
    let pair: Pair | undefined;
    beforeAll(async () => {
      pair = await makePair();
    });
    afterAll(() => closePair(pair));

    test("schedules of producers and a consumer answer alike", () => {
      const property = fc.property(
        fc.constantFrom(4096, 8192),
        ringOperations(dynptrHelpers),
        (sizeBytes, sequence) => {
          const backends = [pair!.real.backend, pair!.simulated];
          const cpus = Math.min(...backends.map((backend) => backend.cpus));
          withRings(backends, sizeBytes, dynptrHelpers, (sides) =>
            compareRings(sides, cpus, sequence),
          );
        },
      );
      const runs = checkProperty("differential ring schedules", property, options.runs);
      options.compared?.("ring schedules", runs);
    });
  });
}

function withRings(
  backends: readonly Backend[],
  sizeBytes: number,
  dynptr: boolean,
  body: (sides: readonly Side[]) => void,
): void {
  const objects = backends.map((backend) => openRing(backend, sizeBytes, dynptr));
  try {
    const sides = objects.map((object) => ({ object, ring: object.maps.get("ring")!.ring() }));
    body(sides);
    for (const { ring } of sides) ring.close();
  } finally {
    for (const object of objects) object.close();
  }
}

/** Throws at the first step after which the two differ, with all steps up to it. */
function compareRings(
  sides: readonly Side[],
  cpus: number,
  sequence: readonly RingOperation[],
): void {
  const steps: string[] = [];
  // The model says which bytes of a record its program wrote; the others are the ring's past.
  const model = new ProgramRingModel(sides[0]!.ring.sizeBytes);
  for (const operation of sequence) {
    steps.push(describeRingOperation(operation));
    const known = operation.kind === "consume" ? model.consume(operation.max ?? ALL) : [];
    if (operation.kind !== "consume") model.apply(operation);
    const [real, simulated] = sides.map((side) => perform(side, operation, cpus, known));
    if (real === simulated) continue;
    throw new Error([...steps, `the kernel: ${real}`, `simulated: ${simulated}`].join("\n  "));
  }
}

/** What a reader is asked for when it is asked for everything. */
const ALL = 0x7fffffff;

function perform(
  { object, ring }: Side,
  operation: RingOperation,
  cpus: number,
  known: readonly { readonly start: string }[],
): string {
  const available = () => `${ring.availableBytes()} bytes available`;
  if (operation.kind !== "consume") {
    const { result, value } = produce(object, operation, cpus);
    return `${result}, value ${value}, ${available()}`;
  }
  const records: string[] = [];
  const count = ring.consume(({ buffer, offsets, lengths, count }) => {
    for (let index = 0; index < count; index++) {
      const [offset, length] = [offsets[index]!, lengths[index]!];
      const written = (known[records.length]?.start.length ?? 0) / 2;
      records.push(`${length}:${hex(buffer.subarray(offset, offset + written))}`);
    }
  }, operation.max ?? ALL);
  return `${count} records ${records.join(" ")}, ${available()}`;
}
