/** From a description to a map of the runtime: `struct rt_map_spec` of `runtime/map_types.h`. */
import { checkMapNumbers } from "#contract/map_calls.ts";
import { describeSpec } from "#contract/map_errors.ts";
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { BpfError, ERRNO } from "#core/errors.ts";
import type { RuntimeInstance } from "./instance.ts";

/** What a map's BTF says beyond its sizes. */
export interface MapDetails {
  /** Offset of the value's `struct bpf_spin_lock`, in bytes; none where absent. */
  readonly lockOffset?: number;
  /** Offset of the value's `struct bpf_timer`, in bytes; none where absent. */
  readonly timerOffset?: number;
  /** Handle of an open map that serves as template, instead of one made from `spec.inner`. */
  readonly innerHandle?: number;
  /** `map_extra`: the number of hash functions of a bloom filter; 0 for the default, 5. */
  readonly extra?: number;
  /** Details of `spec.inner`. */
  readonly inner?: MapDetails;
}

const SPEC_BYTES = 44;

/** The handle of the new map, which the caller closes. Throws the kernel's errno. */
export function createMapHandle(
  instance: RuntimeInstance,
  spec: MapSpec,
  details: MapDetails = {},
): number {
  checkMapNumbers(spec);
  const template = createTemplate(instance, spec, details);
  try {
    const status = create(instance, spec, details, template ?? details.innerHandle ?? 0);
    if (status < 0) throw creationError(spec, status);
    return status;
  } finally {
    // The map keeps the template's shape, not the template.
    if (template !== undefined) instance.exports.rt_map_close(template);
  }
}

function createTemplate(
  instance: RuntimeInstance,
  spec: MapSpec,
  details: MapDetails,
): number | undefined {
  const nests = spec.type === MAP_TYPE.array_of_maps || spec.type === MAP_TYPE.hash_of_maps;
  if (!nests || spec.inner === undefined || details.innerHandle !== undefined) return undefined;
  return createMapHandle(instance, spec.inner, details.inner);
}

function create(
  instance: RuntimeInstance,
  spec: MapSpec,
  details: MapDetails,
  innerHandle: number,
): number {
  const address = instance.alloc(SPEC_BYTES);
  try {
    const typed = (spec.keyTypeId ?? 0) !== 0 && (spec.valueTypeId ?? 0) !== 0;
    instance.u32.set(
      [
        spec.type,
        spec.keySize,
        spec.valueSize,
        spec.maxEntries,
        spec.flags,
        details.extra ?? 0,
        innerHandle,
        details.lockOffset ?? -1,
        details.timerOffset ?? -1,
        typed ? 1 : 0,
        0,
      ],
      address / 4,
    );
    return instance.exports.rt_map_create(address);
  } finally {
    instance.free(address);
  }
}

function creationError(spec: MapSpec, status: number): BpfError {
  return new BpfError(`create map ${spec.name}`, describeSpec(spec), {
    errno: -status,
    hint: HINTS.get(-status) ?? "check type, sizes and flags",
  });
}

const HINTS = new Map<number, string>([
  [ERRNO.ENOMEM, "create the backend with more memoryBytes, or use fewer entries"],
  [ERRNO.E2BIG, "use a smaller key, value or number of entries"],
  [ERRNO.EBADF, "give the specification of the inner map"],
  [ERRNO.ENOTSUPP, "this type does not support that flag or inner map"],
]);
