/** The log that a configuration describes, on the real disk. */
import type { BatchLog } from "#core/batching/log/batch_log.ts";
import { WriteAheadLog } from "#core/batching/log/write_ahead_log.ts";
import type { LogConfig } from "#core/batching/sink_config.ts";
import { LOG_CLOCK, openDiskStorage } from "./disk_storage.ts";

export interface BatchLogOptions {
  readonly config: Omit<LogConfig, "enabled" | "path">;
  /** Folder of this log alone; made where it is missing. */
  readonly folder: string;
  /** The schema header that describes its batches. */
  readonly header: Uint8Array;
  /** Names of all sinks that will read it. */
  readonly consumers: readonly string[];
}

/** Rejects with `BpfError` where another process has the folder, with Node's error where it cannot be read. */
export async function openBatchLog(options: BatchLogOptions): Promise<BatchLog> {
  const { config, folder, header, consumers } = options;
  const { sync, sync_interval_ms, sync_bytes, segment_bytes, max_bytes, when_full } = config;
  return await WriteAheadLog.open({
    storage: await openDiskStorage(folder),
    clock: LOG_CLOCK,
    header,
    consumers,
    ...{ sync, sync_interval_ms, sync_bytes, segment_bytes, max_bytes, when_full },
  });
}
