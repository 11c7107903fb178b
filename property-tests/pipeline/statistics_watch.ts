/** A statistics collector over running pipelines, looked at between any two runs of programs. */
import { expect } from "vitest";
import type { CollectorPipeline } from "#core/pipeline/collector_pipeline.ts";
import { BpfStatsCollector } from "#core/telemetry/bpf_stats_collector.ts";
import { sourceReading } from "#core/telemetry/program_source.ts";

export class StatisticsWatch {
  readonly #collector = new BpfStatsCollector({
    clock: { now_ms: () => 0, every: () => () => {} },
    onError: (program, error) => expect.unreachable(`${program}: ${error}`),
  });
  readonly #pipelines: readonly CollectorPipeline[];
  readonly #before = new Map<string, number>();

  constructor(pipelines: readonly CollectorPipeline[]) {
    this.#pipelines = pipelines;
    for (const pipeline of pipelines) {
      for (const { name } of pipeline.spec.programs) {
        const read = () =>
          sourceReading(pipeline.programReadings().find(({ program }) => program === name)!, {});
        this.#collector.registerProgram(name, "tracepoint", 0, { read });
      }
    }
  }

  /** Reads everything: books closed, nothing fell, and sums are those of the pipelines. */
  check(): void {
    this.#collector.collect();
    let received = 0;
    for (const each of this.#collector.getAllStats()) {
      expect({ program: each.programName, residual: each.residual }).toMatchObject({ residual: 0 });
      const before = this.#before.get(each.programName) ?? 0;
      expect(each.eventsReceived).toBeGreaterThanOrEqual(before);
      this.#before.set(each.programName, each.eventsReceived);
      received += each.eventsReceived;
    }
    const seen = this.#pipelines.reduce((sum, pipeline) => sum + pipeline.books().seen, 0);
    expect(received).toBe(seen);
  }
}
