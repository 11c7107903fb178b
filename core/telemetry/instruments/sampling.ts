/** Instruments of sampling. */
import type { Instrument } from "../instrument.ts";

export const SAMPLING = {
  kept: {
    name: "bpf.sampled_events",
    kind: "counter",
    unit: "{event}",
    description: "Events that sampling kept.",
    attributes: ["event_type", "strategy"],
  },
  leftOut: {
    name: "bpf.dropped_events",
    kind: "counter",
    unit: "{event}",
    description: "Events that sampling left out.",
    attributes: ["event_type", "strategy"],
  },
  rate: {
    name: "bpf.sampling.rate",
    kind: "gauge",
    unit: "{fraction}",
    description: "Part of the events that reach sampling and are kept.",
    attributes: ["strategy"],
  },
  shedMultiplier: {
    name: "bpf.sampling.shed_multiplier",
    kind: "gauge",
    unit: "1",
    description: "Factor on the sampling rates of ordinary events by which load is shed; 1: none.",
    attributes: [],
  },
  adjustments: {
    name: "bpf.sampling.adjustments",
    kind: "counter",
    unit: "{adjustment}",
    description: "Rules of sampling that were put in force.",
    attributes: ["strategy"],
  },
} as const satisfies Record<string, Instrument>;
