/** `tapio-bpf schema`: the configuration file's format, for editors and linters. */
import { configJsonSchema } from "#core/config/config.ts";
import type { Command } from "../command.ts";

export const schemaCommand: Command = {
  words: ["schema"],
  summary: "prints the JSON Schema of the configuration file",
  usage: "",
  options: {},
  positionals: [0, 0],
  async run({ output }) {
    console.log(JSON.stringify(configJsonSchema(), null, output === "json" ? 0 : 2));
    return 0;
  },
};
