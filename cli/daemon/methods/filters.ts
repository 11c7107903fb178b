/** Filter rules of a run in progress. */
import { z } from "zod";
import { filterRuleSchema } from "#core/filters/rule.ts";
import type { FiltersPart } from "../../run/parts/filters.ts";
import { type ControlHost, type ControlMethod, controlMethod } from "../method.ts";

const NONE = z.strictObject({}).default({});
const ids = z.array(z.int().positive()).min(1);

const managerOf = ({ running }: ControlHost) => (running.part("filters") as FiltersPart).manager;

/** Rules come as written; the manager checks them and says which is wrong. */
const rules = z.array(z.unknown()).max(1_000_000);

export const filterMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "filter.list",
    params: NONE,
    handle: (host) => ({
      rules: managerOf(host).list(),
      statistics: managerOf(host).getStatistics(),
    }),
  }),
  controlMethod({
    name: "filter.add",
    params: z.strictObject({ rules: z.array(filterRuleSchema).min(1) }),
    handle: async (host, { rules: add }) => ({ ids: await managerOf(host).change({ add }) }),
  }),
  controlMethod({
    name: "filter.remove",
    params: z.strictObject({ ids }),
    handle: async (host, { ids: remove }) => {
      await managerOf(host).change({ remove });
      return { removed: remove.length };
    },
  }),
  controlMethod({
    name: "filter.replace",
    params: z.strictObject({ rules }),
    handle: async (host, parameters) => {
      const given = parameters.rules as z.input<typeof filterRuleSchema>[];
      await managerOf(host).replaceAll(given);
      return { rules: given.length };
    },
  }),
  controlMethod({
    name: "filter.clear",
    params: NONE,
    handle: async (host) => {
      await managerOf(host).clearAll();
      return { rules: 0 };
    },
  }),
];
