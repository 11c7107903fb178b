/** Objects that were parsed, linked and checked before in this process. */
import type { Btf } from "#core/btf/btf.ts";
import { equalBytes, Remembered } from "#wasm/remembered.ts";
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
const links = new WeakMap<ObjectSpec, readonly Link[]>();
const checks = new WeakMap<LinkedProgram, readonly Check[]>();

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

/** As `checkProgram`, for a machine that knows the same helpers each time. */
export function checkOnce(
  program: LinkedProgram,
  machine: object,
  options: Required<CheckOptions>,
): LinkedProgram {
  const { readOnlyData } = options;
  const known = checks.get(program) ?? [];
  const found = known.find(
    (one) => one.machine === machine && equalData(one.readOnlyData, readOnlyData),
  );
  if (found !== undefined) return found.checked;
  const checked = checkProgram(program, options);
  const copies = [...readOnlyData].map(([name, bytes]) => [name, Uint8Array.from(bytes)] as const);
  const check = { machine, readOnlyData: new Map(copies), checked };
  checks.set(program, [check, ...known.slice(0, CHECKS_MAX - 1)]);
  return checked;
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
