/** Instruments of filters; hits are `STATISTICS.filterHits`. */
import type { Instrument } from "../instrument.ts";

const TYPE = ["filter_type"];

export const FILTERS = {
  misses: {
    name: "bpf.filter.misses",
    kind: "counter",
    unit: "{event}",
    description: "Events that were held against the type's rules and matched by none.",
    attributes: TYPE,
  },
  active: {
    name: "bpf.active_filters",
    kind: "up_down_counter",
    unit: "{rule}",
    description: "Rules in force, shadow rules included.",
    attributes: TYPE,
  },
  updates: {
    name: "bpf.filter.updates",
    kind: "counter",
    unit: "{update}",
    description: "Rule sets that were put in force.",
    attributes: [],
  },
  shadowRejected: {
    name: "bpf.filter.shadow_rejected",
    kind: "counter",
    unit: "{event}",
    description: "Events that passed and that shadow rules would have rejected.",
    attributes: [],
  },
} satisfies Record<string, Instrument>;
