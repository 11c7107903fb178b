/** Objects that were parsed, linked and checked before in this process. */
import type { Btf } from "#core/btf/btf.ts";
import { equalBytes, Remembered, RememberedFor } from "#wasm/remembered.ts";
import { type CheckOptions, checkProgram } from "./check.ts";
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

/** Of one program: for other constants, or other runtimes. */
const CHECKS_MAX = 8;

interface Check {
  /** Who knows the helpers. */
  readonly machine: object;
  readonly readOnlyData: ReadonlyMap<string, Uint8Array>;
  readonly checked: LinkedProgram;
}

const specs = new Remembered<ObjectSpec>(OBJECTS_MAX);
const links = new RememberedFor<ObjectSpec, Link>(LINKS_MAX);
const checks = new RememberedFor<LinkedProgram, Check>(CHECKS_MAX);

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
  return links.of(
    spec,
    (link) => link.targetBtf === targetBtf && link.programs === names,
    () => ({
      targetBtf,
      programs: names,
      linked: linkPrograms(spec, { targetBtf, ...(programs === undefined ? {} : { programs }) }),
    }),
  ).linked;
}

/** As `checkProgram`, for a machine that knows the same helpers each time. */
export function checkOnce(
  program: LinkedProgram,
  machine: object,
  options: Required<CheckOptions>,
): LinkedProgram {
  const { readOnlyData } = options;
  return checks.of(
    program,
    (check) => check.machine === machine && equalData(check.readOnlyData, readOnlyData),
    () => ({
      machine,
      readOnlyData: new Map([...readOnlyData].map(([name, bytes]) => [name, bytes.slice()])),
      checked: checkProgram(program, options),
    }),
  ).checked;
}

function equalData(
  left: ReadonlyMap<string, Uint8Array>,
  right: ReadonlyMap<string, Uint8Array>,
): boolean {
  if (left.size !== right.size) return false;
  return [...left].every(([name, bytes]) => {
    const other = right.get(name);
    return other !== undefined && equalBytes(bytes, other);
  });
}
