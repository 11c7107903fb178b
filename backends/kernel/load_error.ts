/** Why an object could not be loaded, and what to do about it. */
import { BpfError, ERRNO, VerifierError } from "#core/errors.ts";
import type { ObjectSpec } from "#wasm/loader/object_spec.ts";
import type { Addon } from "./addon.ts";
import { bpfHint } from "./privileges.ts";
import { explainMissing } from "./probes.ts";
import { lastWarning, refusedProgram, summarizeLog } from "./verifier_log.ts";

/** The error of a failed load: `status` is -errno, `output` what libbpf said. */
export function loadError(
  addon: Addon,
  spec: ObjectSpec,
  status: number,
  output: string,
): BpfError {
  const errno = -status;
  const refused = refusedProgram(output);
  const program = spec.programs.find(({ name }) => name === refused?.program);
  if (refused !== undefined && refused.log !== "") {
    const hint = hintOf(refused.log);
    return new VerifierError(refused.program, summarizeLog(refused.log), refused.log, {
      errno,
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const missing = program && explainMissing(addon, program.kind, program.target);
  if (missing !== undefined) return missing;
  const said = lastWarning(output);
  const hint = bpfHint(errno) ?? hintOf(output);
  const what = refused === undefined ? `load ${spec.name}` : `load program ${refused.program}`;
  return new BpfError(what, said === "" ? "the kernel refuses it" : said, {
    errno,
    ...(hint === undefined ? {} : { hint }),
  });
}

type Explanation = readonly [pattern: RegExp, hint: string];

const EXPLANATIONS: readonly Explanation[] = [
  [
    /failed CO-RE relocation|invalid func unknown#195896080/,
    "this kernel lacks a type or field that the program needs: check it with " +
      "bpf_core_field_exists, or use a newer kernel",
  ],
  [
    /(?:kernel BTF is missing|failed to find valid kernel BTF|target kernel doesn't support BTF)/,
    "give the kernel's BTF as a file, or use a kernel with CONFIG_DEBUG_INFO_BTF",
  ],
  // The kernel hides these helpers rather than refusing them.
  [
    /(?:unknown func|cannot use|The) (?:helper )?bpf_probe_(?:read|write)/,
    "the kernel is locked down: boot without lockdown=confidentiality",
  ],
  [/unknown func|invalid func/, "this kernel lacks the helper: use a newer kernel"],
  [/BPF program is too large/, "make the program smaller or its loops shorter"],
  [/cannot call GPL-restricted function/, "give the object a GPL-compatible license"],
];

function hintOf(text: string): string | undefined {
  return EXPLANATIONS.find(([pattern]) => pattern.test(text))?.[1];
}

/** The error of an attach that failed: the kernel lacks what it attaches to, or refuses. */
export function attachError(description: string, status: number, output: string): BpfError {
  const errno = -status;
  const hint = attachHint(errno) ?? bpfHint(errno);
  return new BpfError(`attach ${description}`, lastWarning(output) || "the kernel refuses it", {
    errno,
    ...(hint === undefined ? {} : { hint }),
  });
}

function attachHint(errno: number): string | undefined {
  switch (errno) {
    case ERRNO.ENOENT:
      return "this kernel has no such hook, or tracefs is not mounted (tapio-bpf doctor says which)";
    case ERRNO.EBUSY:
    case ERRNO.EEXIST:
      return "something else is attached there: detach it first";
    default:
      return undefined;
  }
}
