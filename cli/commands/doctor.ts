/** `tapio-bpf doctor`: what this machine offers, and what to install for the rest. */
import type { Command } from "../command.ts";
import { type Finding, inspectMachine } from "../doctor/inspect_machine.ts";
import { formatTable } from "../table.ts";

function rows(findings: readonly Finding[]): (readonly string[])[] {
  return findings.map(({ name, ok, detail }) => [name, ok ? "yes" : "no", detail]);
}

export const doctorCommand: Command = {
  words: ["doctor"],
  summary: "what this machine offers, and what to install for the rest",
  usage: "[-o json|table]",
  options: {},
  positionals: [0, 0],
  async run({ output }) {
    const findings = inspectMachine();
    // Simulation is all that a machine must be able to do.
    const ready = findings.every((finding) => finding.ok || !finding.required);
    if (output === "json") console.log(JSON.stringify({ ready, findings }, null, 2));
    else {
      const [names, rest] = [rows(findings), findings.filter((f) => !f.ok && f.remedy !== "")];
      console.log(formatTable(names.map(([name, ok, detail]) => [`${name}`, ok!, `  ${detail}`])));
      for (const { name, remedy } of rest) console.log(`\n${name}: ${remedy}`);
    }
    return ready ? 0 : 1;
  },
};
