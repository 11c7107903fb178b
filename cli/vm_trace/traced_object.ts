/** A shipped collector, with the user space that sets it up, or any other object, to be traced. */
import { basename } from "node:path";
import { type BpfObject, MAP_TYPE } from "#core/backend.ts";
import { type Config, DEFAULT_CONFIG } from "#core/config/config.ts";
import { COLLECTORS, type CollectorSpec } from "#core/events/collectors.ts";
import type { WasmBackend } from "#wasm/backend.ts";
import { Running } from "../run/running.ts";
import { UsageError } from "../usage_error.ts";
import { readObject } from "../vm_object.ts";

export interface TracedObject {
  readonly object: BpfObject;
  /** Every program to its hook. */
  attach(): void;
  /** Makes room in its rings. */
  drain(): void;
  close(): Promise<void>;
}

/** Loads the collector of that name, or the object at that path; `config` is for collectors. */
export function loadTraced(
  backend: WasmBackend,
  name: string,
  config: Config | undefined,
): Promise<TracedObject> {
  const spec = COLLECTORS.get(name);
  if (spec === undefined && config !== undefined) {
    throw new UsageError(`vm trace ${name}: --config is for collectors`);
  }
  if (spec === undefined) return loadObject(backend, name);
  return loadCollector(backend, spec, config);
}

async function loadCollector(
  backend: WasmBackend,
  spec: CollectorSpec,
  config: Config | undefined,
): Promise<TracedObject> {
  const running = await Running.open(backend, [spec], judgementOf(config), { sinks: [] });
  return {
    object: running.collectors[0]!.object,
    attach: () => running.attach(),
    drain: running.drain,
    close: () => running.close(),
  };
}

/** What decides about events; nothing that delivers them. */
function judgementOf(config: Config | undefined): Config {
  if (config === undefined) return DEFAULT_CONFIG;
  const { filters, named_filters, rate_limits, sampling } = config;
  return { ...DEFAULT_CONFIG, filters, named_filters, rate_limits, sampling };
}

async function loadObject(backend: WasmBackend, path: string): Promise<TracedObject> {
  const object = backend.open(readObject(path), { name: basename(path) });
  object.load();
  const rings = [...object.maps.values()].filter(({ spec }) => spec.type === MAP_TYPE.ringbuf);
  return {
    object,
    attach: () => {
      for (const program of object.programs.values()) {
        if (program.section.includes("/")) program.attach();
      }
    },
    drain: () => {
      for (const map of rings) map.ring().consume(() => {});
    },
    close: async () => object.close(),
  };
}
