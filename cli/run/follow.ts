/** Delivers what programs of a real kernel write into the rings, until the run is stopped. */
import { setImmediate as turn } from "node:timers/promises";
import type { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import { lookInterval_ms } from "#core/rings/ring_config.ts";
import type { Running } from "./running.ts";

type Followed = Pick<Running, "pipelines" | "tick" | "config">;

/** Records after which the event loop gets its turn: signals, timers and sinks must not starve. */
const RECORDS_PER_TURN = 65_536;

/** Resolves when `stop` is aborted. */
export async function follow(running: Followed, stop: AbortSignal): Promise<void> {
  await Promise.all(running.pipelines.map((pipeline) => followOne(running, pipeline, stop)));
}

async function followOne(
  running: Followed,
  pipeline: CollectorPipeline,
  stop: AbortSignal,
): Promise<void> {
  // Not Promise.race: what has raced stays referenced by `stop` for as long as the run lasts.
  let proceed = (): void => {};
  stop.addEventListener("abort", () => proceed(), { once: true });
  while (!stop.aborted) {
    const delivered = pipeline.pump(RECORDS_PER_TURN);
    running.tick();
    // A wait may be over at once, without a turn.
    await turn();
    if (delivered === RECORDS_PER_TURN || stop.aborted) continue;
    await new Promise<void>((resolve) => {
      proceed = resolve;
      void pipeline.ring.wait(lookInterval_ms(running.config.rings)).then(() => resolve());
    });
  }
}
