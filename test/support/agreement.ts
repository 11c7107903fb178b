/** Compares our loader with libbpf on one object. */

import { expect } from "vitest";
import { MAP_TYPE } from "#core/backend.ts";
import { initialData } from "#wasm/loader/initial_data.ts";
import { linkPrograms } from "#wasm/loader/link.ts";
import type { LinkedProgram } from "#wasm/loader/linked_program.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { LIBBPF_OBJECT, linkWithLibbpf, withHandles } from "./libbpf.ts";

/** Slots as hex, one a line, so that a difference shows its place. */
export function slots(code: Uint8Array): string[] {
  const hex = Buffer.from(code).toString("hex");
  return hex.match(/.{16}/g)?.map((slot, i) => `${i}: ${slot}`) ?? [];
}

/** libbpf creates maps of maps without BTF; the object has it nevertheless. */
const WITHOUT_BTF: ReadonlySet<number> = new Set([MAP_TYPE.array_of_maps, MAP_TYPE.hash_of_maps]);

/**
 * Expects the same maps, initial values and instructions from both, for every program that loads by
 * default. `target` is an object whose BTF stands for the kernel's. Returns our programs.
 */
export function expectAgreement(object: Uint8Array, target: Uint8Array): LinkedProgram[] {
  const spec = parseObject(object, LIBBPF_OBJECT);
  const ours = linkPrograms(spec, { targetBtf: parseObject(target, "kernel").btf });
  const libbpf = linkWithLibbpf(object, target);
  if (typeof libbpf === "string") throw new Error(libbpf);
  const data = initialData(spec);
  expect(
    spec.maps.map(({ spec, kernelName, content }) => ({
      name: content === "map" ? spec.name : kernelName,
      numbers: [
        spec.type,
        spec.keySize,
        spec.valueSize,
        spec.maxEntries,
        spec.flags,
        WITHOUT_BTF.has(spec.type) ? 0 : spec.keyTypeId,
        WITHOUT_BTF.has(spec.type) ? 0 : spec.valueTypeId,
      ],
      initial: [...(data.get(spec.name) ?? [])],
    })),
  ).toEqual(
    libbpf.maps.map(({ name, numbers, initial }) => ({ name, numbers, initial: [...initial] })),
  );
  expect(ours.map(({ name }) => name).sort()).toEqual([...libbpf.programs.keys()].sort());
  for (const program of ours) {
    const code = withHandles(program, spec.maps, libbpf);
    expect(slots(code), program.name).toEqual(slots(libbpf.programs.get(program.name)!));
  }
  return ours;
}
