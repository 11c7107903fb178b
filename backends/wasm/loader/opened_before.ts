/** Objects that were parsed and linked before in this process. */
import type { Btf } from "#core/btf/btf.ts";
import { Remembered } from "#wasm/remembered.ts";
import { linkPrograms } from "./link.ts";
import type { LinkedProgram } from "./linked_program.ts";
import { type ObjectSpec, parseObject } from "./object_spec.ts";

const OBJECTS_MAX = 16;
/** Of one object: for other kernels, or other variants of its programs. */
const LINKS_MAX = 8;

interface Link {
  readonly targetBtf: Btf;
  readonly programs: string | undefined;
  readonly linked: readonly LinkedProgram[];
}

const specs = new Remembered<ObjectSpec>(OBJECTS_MAX);
const links = new WeakMap<ObjectSpec, readonly Link[]>();

/** As `parseObject`. */
export function parseOnce(bytes: Uint8Array, name: string): ObjectSpec {
  return specs.of(bytes, name, () => parseObject(bytes, name));
}

/** As `linkPrograms`; equal requests get the same programs. */
export function linkOnce(
  spec: ObjectSpec,
  targetBtf: Btf,
  programs: readonly string[] | undefined,
): readonly LinkedProgram[] {
  const names = programs?.join("\0");
  const known = links.get(spec) ?? [];
  const found = known.find((one) => one.targetBtf === targetBtf && one.programs === names);
  if (found !== undefined) return found.linked;
  const linked = linkPrograms(spec, { targetBtf, ...(programs === undefined ? {} : { programs }) });
  links.set(spec, [{ targetBtf, programs: names, linked }, ...known.slice(0, LINKS_MAX - 1)]);
  return linked;
}
