/** Words for what a map answers with: the problem and what to do, by errno and type. */
import { MAP_TYPE, type MapSpec } from "#core/backend.ts";
import { BpfError, type BpfErrorOptions, ERRNO } from "#core/errors.ts";

const TYPE_NAMES = new Map<number, string>(
  Object.entries(MAP_TYPE).map(([name, type]) => [type, name] as const),
);

export function mapTypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `type ${type}`;
}

/** `"hash map, key 4 B, value 8 B, 16 entries, flags 0x1"`. */
export function describeSpec(spec: MapSpec): string {
  const flags = spec.flags === 0 ? "" : `, flags 0x${spec.flags.toString(16)}`;
  return (
    `${mapTypeName(spec.type)} map, key ${spec.keySize} B, value ${spec.valueSize} B, ` +
    `${spec.maxEntries} entries${flags}`
  );
}

const INDEXED: ReadonlySet<number> = new Set([
  MAP_TYPE.array,
  MAP_TYPE.percpu_array,
  MAP_TYPE.prog_array,
  MAP_TYPE.perf_event_array,
  MAP_TYPE.cgroup_array,
  MAP_TYPE.array_of_maps,
]);

type Words = readonly [problem: string, hint?: string];

function explain(spec: MapSpec, errno: number): Words {
  switch (errno) {
    case ERRNO.E2BIG:
      return INDEXED.has(spec.type)
        ? [`the index is not below ${spec.maxEntries}`, "use a smaller index or a larger map"]
        : [`it is full (${spec.maxEntries} entries)`, "delete entries or make max_entries larger"];
    case ERRNO.ENOSPC:
      return ["there is no room for the entries", "use a larger map, or a larger batch count"];
    case ERRNO.EEXIST:
      return ["the key exists already", "update without NOEXIST"];
    case ERRNO.ENOENT:
      return ["there is no such entry"];
    case ERRNO.EBADF:
      return ["a descriptor is not open", "use a map or program that is not closed"];
    case ERRNO.EPERM:
      return ["user space may not do this", "check RDONLY, WRONLY and whether the map is frozen"];
    case ERRNO.ENOMEM:
      return [
        "memory is used up",
        "create the backend with more memoryBytes, or make maps smaller",
      ];
    case ERRNO.ENOTSUPP:
    case ERRNO.EOPNOTSUPP:
      return [`a ${mapTypeName(spec.type)} map cannot do this`];
    default:
      return [`a ${mapTypeName(spec.type)} map does not take these arguments or flags`];
  }
}

/** The error of a failed operation. `status` is -errno, as the runtime answered. */
export function mapError(
  operation: string,
  spec: MapSpec,
  status: number,
  processed?: number,
): BpfError {
  const [problem, hint] = explain(spec, -status);
  const options: BpfErrorOptions = {
    errno: -status,
    ...(hint === undefined ? {} : { hint }),
    ...(processed === undefined ? {} : { processed }),
  };
  return new BpfError(`${operation} map ${spec.name}`, problem, options);
}

export function closedError(operation: string, spec: MapSpec): BpfError {
  return new BpfError(`${operation} map ${spec.name}`, "it is closed", {
    errno: ERRNO.EBADF,
    hint: "use it before close()",
  });
}

/** `what` (a key, a value) has `length` bytes where `expected` are needed. */
export function lengthError(
  operation: string,
  spec: MapSpec,
  what: string,
  length: number,
  expected: number,
): BpfError {
  return new BpfError(
    `${operation} map ${spec.name}`,
    `${what} has ${length} bytes, expected ${expected}`,
    { errno: ERRNO.EINVAL, hint: `pass exactly ${expected} bytes` },
  );
}
