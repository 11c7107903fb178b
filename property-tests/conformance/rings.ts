/** The conformance suite of ring buffers: programs produce, the backend's reader consumes. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, BpfObject, RecordBatch, RingReader } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import {
  describeRingOperation,
  ringOperations,
} from "#property-tests/arbitraries/ring_operations.ts";
import { hex, u32Bytes } from "#property-tests/models/bytes.ts";
import { kernelFeatures } from "#property-tests/models/kernel_version.ts";
import {
  type DeliveredRecord,
  outputBytes,
  ProgramRingModel,
  type RingAnswer,
  type RingOperation,
} from "#property-tests/models/program_ring.ts";
import { checkProperty } from "#property-tests/property.ts";
import { type ConformanceOptions, timeLimits } from "./options.ts";
import { runProgram } from "./program_abi.ts";
import { compileProgram } from "./program_subjects.ts";

const BUFFER_BYTES = 16384;
/** What a reader is asked for when it is asked for everything. */
const ALL = 0x7fffffff;

/** Registers the suite. `makeBackend` is called once; the suite closes what it gets. */
export function ringConformance(
  makeBackend: () => Promise<Backend>,
  options: ConformanceOptions,
): void {
  const { dynptrHelpers } = kernelFeatures(options.kernelVersion);
  describe(`rings of ${options.label}`, timeLimits(), () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await makeBackend();
    });
    afterAll(() => backend.close());

    const withRing = (sizeBytes: number, body: (object: BpfObject, ring: RingReader) => void) => {
      const object = openRing(backend, sizeBytes, dynptrHelpers);
      try {
        const ring = object.maps.get("ring")!.ring();
        body(object, ring);
        ring.close();
      } finally {
        object.close();
      }
    };

    test("records, errors and positions are the model's", () => {
      const property = fc.property(
        fc.constantFrom(4096, 8192),
        ringOperations(dynptrHelpers),
        (sizeBytes, sequence) =>
          withRing(sizeBytes, (object, ring) =>
            compareWithModel(object, ring, backend.cpus, sequence),
          ),
      );
      checkProperty("ring operations of programs", property, options.runs);
    });

    ringScenarios(withRing, () => backend);
  });
}

/** The suite's object, loaded, with a ring of that size; `dynptr`: with the newer helpers. */
export function openRing(backend: Backend, sizeBytes: number, dynptr: boolean): BpfObject {
  const object = backend.open(compileProgram("ring"), {
    maxEntries: { ring: sizeBytes },
    programs: dynptr ? ["operate", "operate_dynptr"] : ["operate"],
  });
  object.load();
  return object;
}

/** Throws at the first difference, with all steps up to it. */
function compareWithModel(
  object: BpfObject,
  ring: RingReader,
  cpus: number,
  sequence: readonly RingOperation[],
): void {
  const model = new ProgramRingModel(ring.sizeBytes);
  const steps: string[] = [];
  for (const operation of sequence) {
    steps.push(describeRingOperation(operation));
    const problem =
      operation.kind === "consume"
        ? consume(model, ring, operation.max)
        : differs(model.apply(operation), produce(object, operation, cpus));
    const available = ring.availableBytes();
    const miscounted = available !== model.availableBytes;
    if (problem === undefined && !miscounted) continue;
    const count = `expected ${model.availableBytes} bytes available, got ${available}`;
    throw new Error([`ring of ${ring.sizeBytes}`, ...steps, `  ${problem ?? count}`].join("\n  "));
  }
}

/** Carries out one operation of a producer. */
export function produce(object: BpfObject, operation: RingOperation, cpus: number): RingAnswer {
  const { kind, size, flags, reserveFlags, stamp, cpu } = operation;
  if (kind.startsWith("output")) {
    object.maps.get("buffers")!.update(u32Bytes(0), outputBytes(stamp, BUFFER_BYTES));
  }
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(reserveFlags), true);
  const program = kind.startsWith("dynptr") ? "operate_dynptr" : "operate";
  const parameters = { operation: RING_OPERATION[kind], value: BigInt(size), limit: stamp };
  const answer = runProgram(object, program, { ...parameters, flags, key }, cpu % cpus);
  return { result: answer.result, value: BigInt.asIntN(64, answer.value) };
}

/** `enum ring_operation` of ring.bpf.c. */
const RING_OPERATION: Readonly<Record<RingOperation["kind"], number>> = {
  output: 101,
  submit: 102,
  discard: 103,
  output_in_submit: 104,
  output_in_discard: 105,
  query: 106,
  dynptr_submit: 107,
  dynptr_discard: 108,
  consume: 0,
};

function differs(expected: RingAnswer, actual: RingAnswer): string | undefined {
  const valueDiffers = expected.value !== undefined && expected.value !== actual.value;
  if (expected.result === actual.result && !valueDiffers) return undefined;
  const text = ({ result, value }: RingAnswer) => `${result}, value ${value ?? "any"}`;
  return `expected ${text(expected)}, got ${text(actual)}`;
}

function consume(
  model: ProgramRingModel,
  ring: RingReader,
  max: number | undefined,
): string | undefined {
  const expected = model.consume(max ?? ALL);
  const delivered: DeliveredRecord[] = [];
  const take = ({ buffer, view, offsets, lengths, count }: RecordBatch) => {
    for (let index = 0; index < count; index += 1) {
      const [offset, length] = [offsets[index]!, lengths[index]!];
      if (length > 0 && view.getUint8(offset) !== buffer[offset]) throw new Error("view ≠ buffer");
      // Compared as far as the model knows the bytes.
      const known = (expected[delivered.length]?.start.length ?? 0) / 2;
      delivered.push({ length, start: hex(buffer.subarray(offset, offset + known)) });
    }
  };
  const count = max === undefined ? ring.consume(take) : ring.consume(take, max);
  if (count !== delivered.length) return `${delivered.length} records came, ${count} were counted`;
  if (JSON.stringify(delivered) === JSON.stringify(expected)) return undefined;
  return `expected records ${JSON.stringify(expected)}, got ${JSON.stringify(delivered)}`;
}

function ringScenarios(
  withRing: (sizeBytes: number, body: (object: BpfObject, ring: RingReader) => void) => void,
  backend: () => Backend,
): void {
  const submit = (object: BpfObject, stamp: number) => {
    const parameters = { operation: RING_OPERATION.submit, value: 8n, limit: stamp };
    expect(runProgram(object, "operate", parameters, 0).result).toBe(0n);
  };
  const stamps = (ring: RingReader, max?: number) => {
    const seen: number[] = [];
    ring.consume(({ view, offsets, count }) => {
      for (let index = 0; index < count; index += 1) {
        seen.push(view.getUint32(offsets[index]!, true));
      }
    }, max);
    return seen;
  };

  test("a handler that throws frees nothing of its batch", () => {
    withRing(4096, (object, ring) => {
      for (const stamp of [1, 2, 3]) submit(object, stamp);
      const fail = () => {
        throw new Error("handler");
      };
      expect(() => ring.consume(fail)).toThrow("handler");
      expect(ring.availableBytes()).toBe(48);
      expect(stamps(ring)).toEqual([1, 2, 3]);
    });
  });

  test("ten laps of a ring deliver every record once, in order", () => {
    withRing(4096, (object, ring) => {
      const count = (10 * 4096) / 16;
      const seen: number[] = [];
      for (let stamp = 0; stamp < count; stamp += 1) {
        submit(object, stamp);
        if (stamp % 100 === 99) seen.push(...stamps(ring));
      }
      seen.push(...stamps(ring));
      expect(seen).toEqual(Array.from({ length: count }, (_, stamp) => stamp));
    });
  });

  test("the ring of a map that is no ring buffer is EINVAL", () => {
    const spec = { name: "array", type: 2, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 };
    const map = backend().createMap(spec);
    try {
      expect(() => map.ring()).toThrow(BpfError);
      expect(() => map.ring()).toThrow(expect.objectContaining({ errno: ERRNO.EINVAL }));
    } finally {
      map.close();
    }
  });
}
