/** The native addon (`src/`): what it exports, and where it lies. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { NotSupportedError } from "#core/errors.ts";

/** A descriptor that closes with its owner. */
export interface NativeDescriptor {
  number(): number;
  close(): void;
}

/** A map's values in memory. */
export interface NativeMapping {
  buffer(): ArrayBuffer;
  close(): void;
}

export interface NativeLink {
  /** A descriptor to read what an iterator prints, or -errno. */
  iterate(): NativeDescriptor | number;
  /** The link's own descriptor, or a negative number where the kernel made none. */
  number(): number;
  close(): void;
}

export interface NativeRing {
  data(): ArrayBuffer;
  batch(): ArrayBuffer;
  fill(maxRecords: number): number;
  release(): void;
  available(): number;
  watch(callback: () => void): number;
  consumeSignal(): boolean;
  close(): void;
}

/** What came of a call into libbpf: 0 or -errno, and what libbpf and the kernel said. */
export interface Outcome {
  readonly status: number;
  readonly log: string;
}

export interface NativeObject {
  setPrograms(names: readonly string[]): number;
  setMaxEntries(map: string, entries: number): number;
  setInitialValue(map: string, value: Uint8Array): number;
  load(): Outcome;
  mapDescriptor(map: string): number;
  /** Type, key size, value size, entries, flags. */
  mapShape(map: string): readonly [number, number, number, number, number];
  programDescriptor(program: string): number;
  close(): void;
}

type Attached = Outcome & { readonly link?: NativeLink };
/** What an attach function is about, before its own arguments. */
type Subject = readonly [object: NativeObject, program: string];

/** Numbers are 0 or more, or -errno, unless said otherwise. */
export interface Addon {
  createMap(
    name: string,
    type: number,
    keySize: number,
    valueSize: number,
    maxEntries: number,
    flags: number,
    innerDescriptor: number,
  ): NativeDescriptor | number;
  mapLookup(fd: number, key: Uint8Array, value: Uint8Array, flags: number): number;
  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags: number): number;
  mapDelete(fd: number, key: Uint8Array): number;
  mapTake(fd: number, key: Uint8Array, value: Uint8Array): number;
  mapNextKey(fd: number, key: Uint8Array | null, next: Uint8Array): number;
  mapFreeze(fd: number): number;
  mapLookupBatch(
    fd: number,
    cursor: Uint8Array | null,
    nextCursor: Uint8Array,
    keys: Uint8Array,
    values: Uint8Array,
    done: Uint32Array,
  ): number;
  mapUpdateBatch(
    fd: number,
    keys: Uint8Array,
    values: Uint8Array,
    done: Uint32Array,
    flags: number,
  ): number;
  mapDeleteBatch(fd: number, keys: Uint8Array, done: Uint32Array): number;
  mapMemory(fd: number, size: number): NativeMapping | number;
  openRing(fd: number, sizeBytes: number, batchRecords: number): NativeRing | number;
  openObject(
    bytes: Uint8Array,
    name: string,
    kernelBtfPath: string,
  ): Outcome & { readonly object?: NativeObject };
  attachSection(...subject: Subject): Attached;
  attachXdp(...all: [...Subject, interfaceIndex: number]): Attached;
  attachTc(...all: [...Subject, interfaceIndex: number, egress: boolean]): Attached;
  attachCgroup(...all: [...Subject, cgroupDescriptor: number]): Attached;
  attachPerfEvent(
    ...all: [
      ...Subject,
      type: number,
      config: number,
      frequency_hz: number,
      pid: number,
      cpu: number,
    ]
  ): Attached;
  attachUprobe(
    ...all: [
      ...Subject,
      pid: number,
      path: string,
      functionName: string,
      offset: number,
      retprobe: boolean,
    ]
  ): Attached;
  attachUsdt(
    ...all: [...Subject, pid: number, path: string, provider: string, name: string]
  ): Attached;
  pin(fd: number, path: string): number;
  openPinned(path: string): NativeDescriptor | number;
  /** As `NativeObject.mapShape`, of a map's descriptor. */
  descriptorShape(fd: number): readonly [number, number, number, number, number] | number;
  runProgram(
    fd: number,
    input: 0 | 1,
    bytes: Uint8Array,
    repeat: number,
    cpu: number,
    answer: Uint32Array,
  ): number;
  programInfo(fd: number, answer: Float64Array): number;
  enableStatistics(): NativeDescriptor | number;
  probeProgramType(type: number): number;
  probeMapType(type: number): number;
  probeHelper(programType: number, helper: number): number;
  libraryVersion(): string;
  possibleCpus(): number;
  ownProcessId(): number;
  /** CPU time of the calling thread in nanoseconds. */
  threadCpuTime(): number;
}

const FILE = "build/kernel/tapio_bpf.node";
/** From the sources, and from `dist/`. */
const PLACES = ["../..", "../../.."].map((up) => join(import.meta.dirname, up, FILE));
/** Another build of the addon, for tests under a sanitizer. */
const OVERRIDE = "TAPIO_KERNEL_ADDON";

/** Path of the addon; undefined where it was not built. */
export function addonPath(): string | undefined {
  const chosen = process.env[OVERRIDE];
  return chosen ?? PLACES.find((path) => existsSync(path));
}

let loaded: Addon | undefined;

/** Throws `NotSupportedError` where the addon is not built or does not start. */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  const path = addonPath();
  if (path === undefined) {
    throw new NotSupportedError(
      "the kernel backend",
      "",
      "its addon is not built on this machine: install g++ and libbpf-dev and run npm run setup, " +
        "or use --backend wasm",
    );
  }
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (error) {
    const reason = (error as Error).message.split("\n")[0]!;
    throw new NotSupportedError(
      `the kernel backend (${reason})`,
      "",
      "run npm run setup on this machine, or use --backend wasm",
    );
  }
  return loaded;
}
