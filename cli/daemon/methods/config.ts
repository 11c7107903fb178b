/** The configuration in force. */
import { z } from "zod";
import { type ControlMethod, controlMethod } from "../method.ts";

const NONE = z.strictObject({}).default({});

export const configMethods: readonly ControlMethod[] = [
  controlMethod({
    name: "config.show",
    params: NONE,
    handle: ({ running }) => running.config,
  }),
  controlMethod({
    name: "config.reload",
    params: NONE,
    async handle(host) {
      await host.reload();
      return host.running.config;
    },
  }),
];
