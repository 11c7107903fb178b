/** Commands that speak to a run in progress and need no more than its answer. */
import type { Command } from "../command.ts";
import { SOCKET_OPTION, withRun } from "../daemon/with_run.ts";

export const reloadCommand: Command = {
  words: ["reload"],
  summary: "has a run in progress read its configuration file again",
  usage: "[--socket PATH] [-o json|table]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options, output }) {
    const config = await withRun(options["socket"], (client) => client.call("config.reload"));
    console.log(output === "json" ? JSON.stringify(config) : "the configuration is in force");
    return 0;
  },
};

export const stopCommand: Command = {
  words: ["stop"],
  summary: "ends a run in progress; it drains, reports and leaves nothing attached",
  usage: "[--socket PATH]",
  options: SOCKET_OPTION,
  positionals: [0, 0],
  async run({ options }) {
    await withRun(options["socket"], (client) => client.call("run.stop"));
    return 0;
  },
};
