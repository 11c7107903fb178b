/** What a run offers to the outside while it lasts: the control socket and reloads. */
import { ConfigError } from "#core/config/config_error.ts";
import { BpfError } from "#core/errors.ts";
import { ConfigWatcher } from "../config/config_watcher.ts";
import { loadConfig } from "../config/load_config.ts";
import { telemetryOf } from "../run/parts/telemetry.ts";
import type { Running } from "../run/running.ts";
import { type Address, MetricsServer } from "../telemetry/metrics_server.ts";
import { ControlServer } from "./control_server.ts";
import type { ControlHost } from "./method.ts";
import { ownSocketPath } from "./socket_path.ts";

export interface ServiceOptions {
  /** Where to listen; without it at a path of this process's own. */
  readonly socketPath?: string | undefined;
  readonly configPath?: string | undefined;
  /** Where metrics are served over HTTP; nowhere without it. */
  readonly metrics?: Address | undefined;
  /** Ends the run. */
  stop(): void;
}

/** Reads the file and puts it in force. Throws with file and line; the old one then stays. */
async function reloadFrom(path: string | undefined, running: Running): Promise<void> {
  if (path === undefined) {
    throw new BpfError("reload", "the run has no configuration file", {
      hint: "start it with --config FILE",
    });
  }
  const parsed = loadConfig(path);
  try {
    await running.reconfigure(parsed.config);
  } catch (error) {
    throw error instanceof ConfigError ? parsed.locate(error) : error;
  }
}

/** Reports on standard error what a reload came to, as nobody waits for its answer. */
async function reloadAloud(host: ControlHost, occasion: string): Promise<void> {
  try {
    await host.reload();
    console.error(`tapio-bpf: ${occasion}: the configuration is in force`);
  } catch (error) {
    console.error(`tapio-bpf: ${occasion}: ${(error as Error).message}; the old one stays`);
  }
}

export class Services {
  readonly #closers: (() => void | Promise<void>)[] = [];

  /** A control socket of its own is a convenience: where it cannot be made, the run goes on without. */
  static async start(running: Running, options: ServiceOptions): Promise<Services> {
    const services = new Services();
    const { configPath } = options;
    const host: ControlHost = {
      running,
      reload: () => reloadFrom(configPath, running),
      stop: options.stop,
    };
    try {
      await services.#listen(host, options.socketPath);
      if (configPath !== undefined) services.#follow(host, configPath);
      if (options.metrics !== undefined) await services.#serveMetrics(running, options.metrics);
      return services;
    } catch (error) {
      await services.close();
      throw error;
    }
  }

  async #listen(host: ControlHost, path: string | undefined): Promise<void> {
    try {
      const server = await ControlServer.listen(path ?? ownSocketPath(process.pid), host);
      this.#closers.push(() => server.close());
    } catch (error) {
      if (path !== undefined) throw error;
      console.error(`tapio-bpf: no control socket: ${(error as Error).message}`);
    }
  }

  async #serveMetrics(running: Running, address: Address): Promise<void> {
    const server = await MetricsServer.listen(address, telemetryOf(running));
    this.#closers.push(() => server.close());
    if (address.port === 0) console.error(`tapio-bpf: metrics at ${address.host}:${server.port}`);
  }

  #follow(host: ControlHost, path: string): void {
    const watcher = new ConfigWatcher(path, () => void reloadAloud(host, `${path} changed`));
    const onHangup = (): void => void reloadAloud(host, "SIGHUP");
    process.on("SIGHUP", onHangup);
    this.#closers.push(() => {
      watcher.close();
      process.off("SIGHUP", onHangup);
    });
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
