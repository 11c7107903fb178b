/** Delivery from rings, with pipelines that are scripted. */
import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { follow } from "#cli/run/follow.ts";
import { DEFAULT_CONFIG } from "#core/config/config.ts";
import type { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";

interface Script {
  readonly pump: (maxRecords: number) => number;
  readonly wait: (timeout_ms: number) => Promise<boolean>;
}

function followed({ pump, wait }: Script) {
  const pipelines = [{ pump, ring: { wait } } as unknown as CollectorPipeline];
  return { pipelines, tick: () => {}, config: DEFAULT_CONFIG };
}

it.each([0, 1, Number.POSITIVE_INFINITY])(
  "gives the event loop its turn while data never ceases; %d record(s) a look",
  async (records) => {
    const stop = new AbortController();
    let looks = 0;
    const pump = (maxRecords: number): number => {
      if (++looks > 1000) throw new Error("the event loop starves");
      return Math.min(records, maxRecords);
    };
    const running = followed({ pump, wait: () => Promise.resolve(true) });
    setImmediate(() => stop.abort());
    await follow(running, stop.signal);
  },
);

it("ends at once while it waits", async () => {
  const stop = new AbortController();
  const waits: number[] = [];
  const wait = (timeout_ms: number): Promise<boolean> => {
    waits.push(timeout_ms);
    return new Promise(() => {});
  };
  const end = follow(followed({ pump: () => 0, wait }), stop.signal);
  while (waits.length === 0) await turn();
  stop.abort();
  await end;
  expect(waits).toEqual([DEFAULT_CONFIG.rings.wakeup_deadline_ms / 2]);
});

it("fails where a ring cannot be waited for", async () => {
  const wait = (): Promise<boolean> => {
    throw new Error("too many open files");
  };
  const running = followed({ pump: () => 0, wait });
  await expect(follow(running, new AbortController().signal)).rejects.toThrow(
    "too many open files",
  );
});
