/** Summaries of what libbpf and the verifier said, pinned by output captured on Linux 6.18. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lastWarning, refusedProgram, summarizeLog } from "#kernel/verifier_log.ts";

const FOLDER = "test/testdata/verifier_logs";

const SUMMARIES: Readonly<Record<string, string>> = {
  foreign_helper: "program of this type cannot use helper bpf_override_return#58 (5 lines omitted)",
  missing_field:
    "failed to resolve CO-RE relocation <byte_off> [25] struct task_struct.field_that_no_kernel_has " +
    "(0:0 @ offset 0) (6 lines omitted)",
  scalar_dereference: "R1 invalid mem access 'scalar' (5 lines omitted)",
  unbounded_index:
    "math between map_value pointer and register with unbounded min value is not allowed " +
    "(16 lines omitted)",
  unreleased_record:
    "BPF_EXIT instruction in main prog would lead to reference leak (13 lines omitted)",
};

describe("captured output", () => {
  const names = readdirSync(FOLDER).map((name) => name.replace(/\.log$/, ""));

  it("is all covered", () => {
    expect(names.sort()).toEqual(Object.keys(SUMMARIES).sort());
  });

  it.each(names)("%s: program, log and the line that matters", (name) => {
    const output = readFileSync(`${FOLDER}/${name}.log`, "utf8");
    const refused = refusedProgram(output)!;
    expect(refused.program).toBe("program");
    expect(refused.log).not.toContain("libbpf:");
    expect(refused.log).not.toContain("PROG LOAD LOG");
    expect(summarizeLog(refused.log)).toBe(SUMMARIES[name]);
  });
});

describe("other output", () => {
  it("in sections, as Linux 7 writes it, is summed up by the reason it gives", () => {
    const log = `0: (85) call bpf_probe_read#4
Verification failed: Policy: Operation is not allowed

Reason:
  The helper bpf_probe_read#4 is not allowed: this program type does not allow the helper.

At:
  program @ task.h:45:31

Suggestion:
  Use a helper allowed for this program type, or move the logic to a compatible program type.

processed 86 insns (limit 1000000) max_states_per_insn 0 total_states 5 peak_states 5 mark_read 0
`;
    expect(summarizeLog(log)).toBe(
      "The helper bpf_probe_read#4 is not allowed: this program type does not allow the helper. " +
        "(8 lines omitted)",
    );
  });

  it("without a refused program names none", () => {
    expect(refusedProgram("libbpf: Error in bpf_create_map_xattr(ring):EINVAL\n")).toBeUndefined();
    expect(refusedProgram("")).toBeUndefined();
  });

  it("of a kernel that wrote no log has an empty one", () => {
    const output =
      "libbpf: prog 'p': BPF program load failed: Operation not permitted\n" +
      "libbpf: permission error while running as root; try raising 'ulimit -l'? current value: 8.0 MiB\n" +
      "libbpf: prog 'p': failed to load: -1\nlibbpf: failed to load object 'x'\n";
    expect(refusedProgram(output)).toEqual({ program: "p", log: "" });
    expect(lastWarning(output)).toBe("prog 'p': BPF program load failed: Operation not permitted");
  });

  it("whose log was cut off keeps what is there", () => {
    const output =
      "libbpf: prog 'p': BPF program load failed: Invalid argument\n" +
      "libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n0: R1=ctx()\nbad things";
    expect(summarizeLog(refusedProgram(output)!.log)).toBe("bad things (1 line omitted)");
  });

  it("of one line omits nothing, of none says nothing", () => {
    expect(summarizeLog("only this\n")).toBe("only this");
    expect(summarizeLog("\n\n")).toBe("");
    expect(lastWarning("")).toBe("");
  });
});
