/** An opened object on the simulated machine: maps and programs come to life at `load`. */
import { objectStateError } from "#contract/state_errors.ts";
import type { BpfMap, BpfObject, MapSpec, OpenOptions, Program } from "#core/backend.ts";
import type { Btf } from "#core/btf/btf.ts";
import type { WasmBackend } from "./backend.ts";
import type { DataReference, Engine } from "./engines/engine.ts";
import { initialData } from "./loader/initial_data.ts";
import type { LinkedProgram } from "./loader/linked_program.ts";
import { sizedMap } from "./loader/map_size.ts";
import type { ObjectMap, ObjectSpec } from "./loader/object_spec.ts";
import { checkOnce, linkOnce } from "./loader/opened_before.ts";
import { WasmMap } from "./map.ts";
import { WasmProgram } from "./program.ts";

/** LINUX_VERSION_CODE of the kernel that the simulated one behaves like: 6.18. */
const KERNEL_VERSION_CODE = (6 << 16) | (18 << 8);

const TAIL_CALL_HELPER = 12;

export class WasmObject implements BpfObject {
  readonly name: string;
  readonly btf: Btf;
  readonly #backend: WasmBackend;
  readonly #engine: Engine;
  readonly #spec: ObjectSpec;
  readonly #options: OpenOptions;
  readonly #linked: readonly LinkedProgram[];
  readonly #maps = new Map<string, WasmMap>();
  readonly #programs = new Map<string, WasmProgram>();
  readonly #onClose: () => void;
  #state: "open" | "loaded" | "closed" = "open";

  /** Use `WasmBackend.open`. `onClose` is called once. */
  constructor(
    backend: WasmBackend,
    engine: Engine,
    spec: ObjectSpec,
    options: OpenOptions,
    onClose: () => void,
  ) {
    this.#onClose = onClose;
    this.name = spec.name;
    this.btf = spec.btf;
    this.#backend = backend;
    this.#engine = engine;
    this.#spec = spec;
    this.#options = options;
    this.#linked = linkOnce(spec, backend.kernelBtf, options.programs);
    for (const linked of this.#linked) {
      const program = spec.programs.find(({ name }) => name === linked.name)!;
      this.#programs.set(linked.name, new WasmProgram(backend, program));
    }
  }

  get programs(): ReadonlyMap<string, Program> {
    return this.#programs;
  }

  /** Empty before `load`. */
  get maps(): ReadonlyMap<string, BpfMap> {
    return this.#maps;
  }

  load(): void {
    if (this.#state !== "open") throw objectStateError(this.name, this.#state);
    try {
      const data = this.#initialData();
      this.#createMaps(data);
      this.#loadPrograms(data);
      this.#fillSlots();
      this.#state = "loaded";
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The value of each global-data map when programs start. */
  #initialData(): Map<string, Uint8Array> {
    return initialData(this.#spec, {
      kconfig: { LINUX_KERNEL_VERSION: KERNEL_VERSION_CODE },
      ...(this.#options.constants === undefined ? {} : { constants: this.#options.constants }),
    });
  }

  #createMaps(data: ReadonlyMap<string, Uint8Array>): void {
    for (const map of this.#spec.maps) {
      const created = new WasmMap(this.#backend.instance, this.#sized(map), {
        lockOffset: map.lockOffset,
        timerOffset: map.timerOffset,
        extra: Number(map.extra),
      });
      this.#maps.set(map.spec.name, created);
      const initial = data.get(map.spec.name);
      // Memory, and not an update: programs may not write read-only data, but we fill it.
      if (initial !== undefined) created.memory().set(initial);
    }
  }

  #sized({ spec }: ObjectMap): MapSpec {
    return sizedMap(spec, this.#backend.cpus, this.#options.maxEntries?.[spec.name]);
  }

  #loadPrograms(data: ReadonlyMap<string, Uint8Array>): void {
    const { exports, module } = this.#backend.instance;
    const readOnlyData = new Map(
      this.#spec.maps
        .filter(({ content }) => content === "rodata" || content === "kconfig")
        .map(({ spec }) => [spec.name, data.get(spec.name)!] as const),
    );
    // Engines make tail calls themselves.
    const knowsHelper = (id: number) =>
      id === TAIL_CALL_HELPER || exports.rt_helper_index(id) !== 0;
    for (const unchecked of this.#linked) {
      const linked = checkOnce(unchecked, module, { knowsHelper, readOnlyData });
      const resolve = (reference: DataReference): number => this.#resolve(reference);
      const { instance, instrument } = this.#backend;
      const loaded = this.#engine.load(instance, linked, resolve, { instrument });
      this.#programs.get(linked.name)!.setLoaded(loaded, linked);
    }
  }

  /** Address of what an LDDW refers to. */
  #resolve(reference: DataReference): number {
    const map = this.#maps.get(reference.map)!;
    if (reference.kind === "map") return map.address;
    return this.#backend.instance.exports.rt_map_values(map.handle) + reference.offset;
  }

  /** Initial entries of program arrays and maps of maps. */
  #fillSlots(): void {
    const key = new Uint8Array(4);
    const value = new Uint8Array(4);
    for (const { spec, slots } of this.#spec.maps) {
      for (const { index, kind, name } of slots) {
        const target = kind === "map" ? this.#maps.get(name) : this.#programs.get(name);
        if (target === undefined) continue;
        new DataView(key.buffer).setUint32(0, index, true);
        new DataView(value.buffer).setUint32(0, target.handle, true);
        this.#maps.get(spec.name)!.update(key, value);
      }
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const program of this.#programs.values()) program.close();
    for (const map of this.#maps.values()) map.close();
    this.#onClose();
  }
}
