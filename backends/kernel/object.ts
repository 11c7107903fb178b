/** An opened object on the real kernel. libbpf loads it; what it holds is read as on wasm. */
import { objectStateError } from "#contract/state_errors.ts";
import type { BpfMap, BpfObject, MapSpec, OpenOptions } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import { findVariable, initialData } from "#wasm/loader/initial_data.ts";
import { selectPrograms } from "#wasm/loader/link.ts";
import type { ObjectSpec, ProgramSpec } from "#wasm/loader/object_spec.ts";
import { openError } from "#wasm/loader/open_error.ts";
import type { Addon, NativeObject } from "./addon.ts";
import { loadError } from "./load_error.ts";
import { KernelMap } from "./map.ts";
import { KernelProgram } from "./program.ts";
import { lastWarning } from "./verifier_log.ts";

/** The map's descriptor is libbpf's, and goes with the object. */
const borrowed = (fd: number) => ({ number: () => fd, close: () => {} });

export class KernelObject implements BpfObject {
  readonly name: string;
  readonly btf: Btf;
  readonly #addon: Addon;
  readonly #native: NativeObject;
  readonly #spec: ObjectSpec;
  readonly #cpus: number;
  readonly #maps = new Map<string, KernelMap>();
  readonly #programs = new Map<string, KernelProgram>();
  #state: "open" | "loaded" | "closed" = "open";
  /** Called once, when the object closes. */
  onClose: () => void = () => {};

  /** `bytes` are of the object that `spec` describes. Throws `BpfError`; nothing is left behind. */
  constructor(
    addon: Addon,
    cpus: number,
    bytes: Uint8Array,
    spec: ObjectSpec,
    options: OpenOptions,
    kernelBtfPath: string,
  ) {
    this.name = spec.name;
    this.btf = spec.btf;
    this.#addon = addon;
    this.#spec = spec;
    this.#cpus = cpus;
    const selected = selectPrograms(spec, options.programs);
    const { status, log, object } = addon.openObject(bytes, spec.name, kernelBtfPath);
    if (object === undefined) {
      throw openError(spec.name, lastWarning(log) || "libbpf does not accept it", {
        errno: -status,
      });
    }
    this.#native = object;
    try {
      this.#configure(options, selected);
    } catch (error) {
      object.close();
      throw error;
    }
    for (const program of selected) {
      this.#programs.set(program.name, new KernelProgram(addon, object, program));
    }
  }

  #configure(options: OpenOptions, selected: readonly ProgramSpec[]): void {
    const { constants = {}, maxEntries = {} } = options;
    this.#expect(0, this.#native.setPrograms(selected.map(({ name }) => name)), "programs");
    for (const { spec } of this.#spec.maps) {
      const entries = maxEntries[spec.name];
      if (entries === undefined) continue;
      this.#expect(0, this.#native.setMaxEntries(spec.name, entries), `entries of ${spec.name}`);
    }
    // What a kernel's configuration answers is libbpf's to fill in.
    const data = initialData({ ...this.#spec, externs: [] }, { constants });
    const touched = new Set(
      Object.keys(constants).map((name) => findVariable(this.#spec, name).map),
    );
    for (const map of touched) {
      this.#expect(0, this.#native.setInitialValue(map, data.get(map)!), `constants in ${map}`);
    }
  }

  #expect(expected: number, status: number, what: string): void {
    if (status === expected) return;
    throw openError(this.name, `libbpf does not take the ${what}`, { errno: -status });
  }

  get programs(): ReadonlyMap<string, KernelProgram> {
    return this.#programs;
  }

  /** Empty before `load`. */
  get maps(): ReadonlyMap<string, BpfMap> {
    return this.#maps;
  }

  load(): void {
    if (this.#state !== "open") throw objectStateError(this.name, this.#state);
    try {
      const { status, log } = this.#native.load();
      if (status < 0) throw loadError(this.#addon, this.#spec, status, log);
      this.#openMaps();
      for (const program of this.#programs.values()) program.setLoaded();
      this.#state = "loaded";
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #openMaps(): void {
    for (const { spec } of this.#spec.maps) {
      const fd = this.#native.mapDescriptor(spec.name);
      const map = new KernelMap(this.#addon, this.#actual(spec), borrowed(fd), this.#cpus);
      this.#maps.set(spec.name, map);
    }
  }

  /** libbpf rounds ring sizes up, and knows the size of what depends on the machine. */
  #actual(spec: MapSpec): MapSpec {
    const [type, keySize, valueSize, maxEntries, flags] = this.#native.mapShape(spec.name);
    return { ...spec, type, keySize, valueSize, maxEntries, flags };
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const program of this.#programs.values()) program.close();
    for (const map of this.#maps.values()) map.close();
    this.#native.close();
    this.onClose();
  }
}
