/** Instruments of programs, their events, rings and maps. */
import type { Instrument } from "../instrument.ts";

const PROGRAM = ["program_name"];

const counter = (name: string, unit: string, description: string, extra: string[] = []) =>
  ({
    name,
    kind: "counter",
    unit,
    description,
    attributes: [...PROGRAM, ...extra],
  }) satisfies Instrument;

const gauge = (name: string, unit: string, description: string) =>
  ({ name, kind: "gauge", unit, description, attributes: PROGRAM }) satisfies Instrument;

const level = (name: string, unit: string, description: string, extra: string[] = []) =>
  ({
    name,
    kind: "up_down_counter",
    unit,
    description,
    attributes: [...PROGRAM, ...extra],
  }) satisfies Instrument;

export const STATISTICS = {
  programsActive: level("bpf.programs.active", "{program}", "Registered BPF programs.", [
    "program_type",
  ]),
  received: counter("bpf.events.received", "{event}", "Events that a program saw."),
  processed: counter("bpf.events.processed", "{event}", "Events that every sink accepted."),
  dropped: counter("bpf.events.dropped", "{event}", "Events that were lost, by reason.", [
    "reason",
  ]),
  filtered: counter("bpf.events.filtered", "{event}", "Events that a filter rejected."),
  rateLimited: counter("bpf.events.rate_limited", "{event}", "Events beyond a rate limit."),
  sampledOut: counter("bpf.events.sampled", "{event}", "Events that sampling left out."),
  batched: counter("bpf.events.batched", "{event}", "Events submitted to a ring buffer."),
  inFlight: level("bpf.events.in_flight", "{event}", "Events submitted and not yet delivered."),
  residual: level(
    "bpf.events.residual",
    "{event}",
    "Events whose fate is unknown: 0, or a defect.",
  ),
  unobserved: counter(
    "bpf.events.unobserved",
    "{run}",
    "Runs that the kernel skipped because the program was already running.",
  ),
  processingDuration: {
    name: "bpf.processing.duration",
    kind: "histogram",
    unit: "s",
    description: "Duration of a program's runs, of those that are timed.",
    attributes: PROGRAM,
  },
  runs: counter("bpf.program.runs", "{run}", "Runs of the program, as the kernel counts them."),
  runTime: counter("bpf.program.time", "s", "Time in the program, as the kernel counts it."),
  verifiedInstructions: gauge(
    "bpf.program.verified_instructions",
    "{instruction}",
    "Instructions that the verifier visited.",
  ),
  programMemory: level("bpf.program.memory.usage", "By", "Kernel memory of the program."),
  programErrors: counter("bpf.program.errors", "{error}", "Helper calls that failed."),
  ringUtilization: gauge("bpf.ring_buffer.utilization", "1", "Used part of the ring buffer."),
  ringUsage: level("bpf.ring_buffer.usage", "By", "Bytes waiting in the ring buffer."),
  ringLimit: level("bpf.ring_buffer.limit", "By", "Bytes that the ring buffer holds."),
  mapMemory: level("bpf.map.memory.usage", "By", "Kernel memory of the maps.", ["map_name"]),
  mapEntries: level("bpf.map.entries.limit", "{entry}", "Entries that the map holds at most.", [
    "map_name",
  ]),
  averageBatchSize: gauge("bpf.average_batch_size", "{event}", "Events in a batch, on average."),
  batchesSent: counter("bpf.batches.sent", "{batch}", "Batches handed to the sinks."),
  filterHits: {
    name: "bpf.filter.hits",
    kind: "counter",
    unit: "{event}",
    description: "Events that a rule of the type matched; any: that the filters let pass.",
    attributes: ["filter_type"],
  },
  verificationFailures: counter(
    "bpf.verification.failures",
    "{failure}",
    "Loads that the verifier refused.",
  ),
  attachFailures: counter("bpf.attach.failures", "{failure}", "Attachments that failed."),
  health: {
    name: "bpf.health",
    kind: "gauge",
    unit: "{state}",
    description: "1 for the state that the run is in.",
    attributes: ["state"],
  },
  exportFailures: {
    name: "bpf.export.failures",
    kind: "counter",
    unit: "{failure}",
    description: "Exports of metrics that failed.",
    attributes: ["exporter"],
  },
} as const satisfies Record<string, Instrument>;
