/** Instruments of batching and delivery. */
import type { Instrument } from "../instrument.ts";

const gauge = (name: string, unit: string, description: string, attributes: string[] = []) =>
  ({ name, kind: "gauge", unit, description, attributes }) satisfies Instrument;

export const BATCHING = {
  target: gauge(
    "bpf.batch.size.target",
    "{event}",
    "Events that the controller gathers to a batch.",
  ),
  latency: gauge("bpf.delivery.latency", "s", "Time from event to acknowledgement, by quantile.", [
    "quantile",
  ]),
  savings: gauge("bpf.batch.compression.savings", "1", "Part of the bytes that encoding saved."),
  buffered: gauge("bpf.batch.buffer.usage", "By", "Encoded batches that wait in memory."),
  problems: gauge(
    "bpf.delivery.problems",
    "{destination}",
    "Sinks and logs that take no events at present.",
  ),
  refused: {
    name: "bpf.log.events.refused",
    kind: "counter",
    unit: "{event}",
    description: "Events that the log had taken and a sink then refused for good.",
    attributes: [],
  },
  failures: {
    name: "bpf.sink.failures",
    kind: "counter",
    unit: "{failure}",
    description: "Attempts to send a batch that failed.",
    attributes: ["sink"],
  },
} as const satisfies Record<string, Instrument>;
