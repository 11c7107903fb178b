/** A capability of a run: what it wants of the objects, and how it follows the configuration. */
import type { OpenOptions } from "#core/backend.ts";
import type { Config } from "#core/config/config.ts";
import type { CollectorSpec } from "#core/events/collectors.ts";
import type { Observe } from "#core/telemetry/instrument.ts";
import type { Running } from "../running.ts";

export interface RunPart {
  /** Throws `ConfigError` where `config` cannot be taken; changes nothing. */
  check?(config: Config): void;
  /** Takes a configuration that every part accepted. Called once at the start, too. */
  apply?(config: Config): void | Promise<void>;
  /** A controller's turn; `now_ns` is the backend's clock. Comes often, so it returns at once. */
  tick?(now_ns: bigint): void;
  /** Reports the present value of every series that this part knows. */
  observe?(observe: Observe): void;
  close?(): void | Promise<void>;
}

export interface RunPartKind {
  readonly name: string;
  /** Constants and map sizes that the collector's object is opened with. */
  openOptions?(spec: CollectorSpec, config: Config): OpenOptions;
  /** The collectors are loaded, nothing is attached. `apply` follows. */
  create(running: Running): RunPart | Promise<RunPart>;
}
