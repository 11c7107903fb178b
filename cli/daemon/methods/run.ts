/** The run itself: is it there, what has it done, end it. */
import { z } from "zod";
import { reportOf } from "../../run/report.ts";
import { type ControlMethod, controlMethod } from "../method.ts";

const NONE = z.strictObject({}).default({});

export const runMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "run.describe",
    params: NONE,
    handle: ({ running }) => ({
      pid: process.pid,
      backend: running.backend.kind,
      engine: running.backend.engine,
      cpus: running.backend.cpus,
      collectors: running.collectors.map(({ spec }) => spec.name),
    }),
  }),
  controlMethod({
    name: "run.report",
    params: NONE,
    handle: ({ running }) => reportOf(running),
  }),
  controlMethod({ name: "run.stop", params: NONE, handle: (host) => void host.stop() }),
];
