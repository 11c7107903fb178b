/**
 * A run in progress: its collectors, the configuration in force, and the capabilities (filters,
 * sampling, telemetry, ...) that take their settings from it. Both backends run this.
 */
import type { Backend, BpfObject, Link, OpenOptions } from "#core/backend.ts";
import type { Config } from "#core/config/config.ts";
import { ConfigError } from "#core/config/config_error.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import type { Sink } from "#core/pipeline/sink.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import type { ChosenHook } from "#kernel/choose_hooks.ts";
import { readArtifact } from "../artifacts.ts";
import { PART_KINDS } from "./parts/index.ts";
import type { RunPart } from "./parts/part.ts";

export interface RunningCollector {
  readonly spec: CollectorSpec;
  readonly object: BpfObject;
  readonly pipeline: CollectorPipeline;
}

export interface RunningOptions {
  readonly sinks: readonly Sink[];
  readonly open?: OpenOptions;
  /** Variants of the programs to load; default those that load by themselves. */
  readonly hooks?: readonly ChosenHook[];
  /** Whether the source of events holds back until `ready`; default: it does not, as a kernel. */
  readonly sourceWaits?: boolean;
}

export class Running {
  readonly backend: Backend;
  readonly sourceWaits: boolean;
  /** How the programs attach; undefined on a simulated kernel. */
  readonly hooks: readonly ChosenHook[] | undefined;
  readonly #sinks: Sink[];
  readonly collectors: readonly RunningCollector[];
  readonly #parts = new Map<string, RunPart>();
  readonly #links: Link[] = [];
  readonly #started_ms = performance.now();
  #config: Config;

  private constructor(
    backend: Backend,
    config: Config,
    options: RunningOptions,
    collectors: readonly RunningCollector[],
  ) {
    this.backend = backend;
    this.sourceWaits = options.sourceWaits ?? false;
    this.hooks = options.hooks;
    this.#config = config;
    this.#sinks = [...options.sinks];
    this.collectors = collectors;
  }

  /**
   * Loads the collectors and puts `config` in force; nothing is attached yet. The backend and the
   * sinks stay the caller's to close. On an error nothing stays loaded.
   */
  static async open(
    backend: Backend,
    specs: readonly CollectorSpec[],
    config: Config,
    options: RunningOptions,
  ): Promise<Running> {
    const collectors: RunningCollector[] = [];
    const running = new Running(backend, config, options, collectors);
    try {
      for (const spec of specs) {
        collectors.push(openCollector(running, spec, config, options.open ?? {}));
      }
      for (const kind of PART_KINDS) running.#parts.set(kind.name, await kind.create(running));
      await running.reconfigure(config);
      return running;
    } catch (error) {
      await running.close();
      throw error;
    }
  }

  get sinks(): readonly Sink[] {
    return this.#sinks;
  }

  /** A sink of a part, which closes it; before anything is attached. */
  addSink(sink: Sink): void {
    this.#sinks.push(sink);
    sink.losses?.((collector, reason, program, cpu, count) => {
      const pipeline = this.pipelines.find(({ spec }) => spec.name === collector);
      pipeline?.lose(reason, program, cpu, count);
    });
  }

  /** Resolves when every sink has room for more. */
  async ready(): Promise<void> {
    for (const sink of this.#sinks) await sink.ready?.();
  }

  /** Real time since the run began, in seconds. */
  elapsed_s(): number {
    return (performance.now() - this.#started_ms) / 1000;
  }

  /** The configuration in force. */
  get config(): Config {
    return this.#config;
  }

  get pipelines(): readonly CollectorPipeline[] {
    return this.collectors.map(({ pipeline }) => pipeline);
  }

  /**
   * Puts another configuration in force: every part looks at it first, and only when all accept it does
   * any take it. Throws `ConfigError`; then nothing has changed.
   */
  async reconfigure(config: Config): Promise<void> {
    for (const fixed of ["collectors", "hooks"] as const) {
      if (String(config[fixed]) === String(this.#config[fixed])) continue;
      throw new ConfigError([fixed], "cannot change while the run lasts", "start it again");
    }
    for (const part of this.#parts.values()) part.check?.(config);
    for (const part of this.#parts.values()) await part.apply?.(config);
    this.#config = config;
  }

  attach(): void {
    for (const { object } of this.collectors) {
      for (const program of object.programs.values()) this.#links.push(program.attach());
    }
  }

  /** Programs end; what they wrote stays to be read. */
  detach(): void {
    for (const link of this.#links.splice(0)) link.close();
  }

  /** Delivers everything that waits in the rings, and lets controllers look at the clock. */
  readonly drain = (): void => {
    for (const { pipeline } of this.collectors) while (pipeline.pump() > 0);
    this.tick();
  };

  /** Gives every controller its turn, by the backend's clock. */
  tick(): void {
    const now_ns = this.backend.now_ns();
    for (const part of this.#parts.values()) part.tick?.(now_ns);
  }

  /** What every part reports when metrics are collected. */
  observe(observe: Observe): void {
    for (const part of this.#parts.values()) part.observe?.(observe);
  }

  /** The part of that name, for commands that change it (`running.part("filters")`). */
  part(name: string): RunPart | undefined {
    return this.#parts.get(name);
  }

  unreadBytes(): number {
    return this.pipelines.reduce((sum, { ring }) => sum + ring.availableBytes(), 0);
  }

  async close(): Promise<void> {
    this.detach();
    for (const part of [...this.#parts.values()].reverse()) await part.close?.();
    for (const { pipeline, object } of this.collectors) {
      pipeline.close();
      object.close();
    }
  }
}

function openCollector(
  { backend, sinks, hooks }: Running,
  spec: CollectorSpec,
  config: Config,
  options: OpenOptions,
): RunningCollector {
  const wanted = PART_KINDS.map((kind) => kind.openOptions?.(spec, config) ?? {});
  const all = [options, ...wanted];
  const chosen = hooks?.filter(({ collector }) => collector === spec.name);
  const object = backend.open(readArtifact(`bpf/${spec.object}`), {
    name: spec.object,
    constants: Object.assign({}, ...all.map(({ constants }) => constants)),
    maxEntries: Object.assign({}, ...all.map(({ maxEntries }) => maxEntries)),
    ...(chosen === undefined ? {} : { programs: chosen.map((hook) => hook.function) }),
  });
  try {
    object.load();
    return { spec, object, pipeline: new CollectorPipeline(spec, object, backend.cpus, sinks) };
  } catch (error) {
    object.close();
    throw error;
  }
}
