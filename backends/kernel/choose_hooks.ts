/** Which variant of each program this kernel runs: the first that loads and attaches. */
import type { Backend, ProgramKind } from "#core/backend.ts";
import { BpfError, ERRNO, NotSupportedError } from "#core/errors.ts";
import type { CollectorSpec, HookSpec, ProgramSpec } from "#core/events/collectors.ts";
import { parseObject } from "#wasm/loader/object_spec.ts";
import { kernelAtLeast } from "./kernel_version.ts";

export interface RefusedHook {
  /** Section of the variant (`"tp_btf/sys_enter"`). */
  readonly hook: string;
  readonly reason: string;
}

/** How one program attaches. */
export interface ChosenHook {
  readonly collector: string;
  readonly program: string;
  /** BPF function of the variant. */
  readonly function: string;
  readonly hook: string;
  /** What would have been better and is not to be had here, in the order of trying. */
  readonly refused: readonly RefusedHook[];
}

/**
 * Loads and attaches the variants of each program, by themselves and in order, until the kernel takes one; of what they
 * see meanwhile nothing is kept. Throws `BpfError`: at once where the process may not load BPF or memory is short, and
 * where no variant is left. `kind` leaves only variants of that kind. `object` is the collector's.
 */
export function chooseHooks(
  backend: Pick<Backend, "open">,
  object: Uint8Array,
  spec: CollectorSpec,
  kind: ProgramKind | "auto" = "auto",
): ChosenHook[] {
  const { programs } = parseObject(object, spec.object);
  const sectionOf = (hook: HookSpec): string =>
    programs.find(({ name }) => name === hook.function)?.section ?? hook.function;
  return spec.programs.map((program) => {
    const { name } = program;
    const refused: RefusedHook[] = [];
    let last: BpfError | undefined;
    for (const hook of variantsOf(program, kind)) {
      const section = sectionOf(hook);
      last = whyNot(backend, object, spec, hook);
      if (last === undefined) {
        const { function: variant } = hook;
        return { collector: spec.name, program: name, function: variant, hook: section, refused };
      }
      refused.push({ hook: section, reason: last.message });
    }
    throw noneLeft(name, kind, refused, last!);
  });
}

function variantsOf({ name, hooks }: ProgramSpec, kind: ProgramKind | "auto"): readonly HookSpec[] {
  if (kind === "auto") return hooks;
  const wanted = hooks.filter((hook) => hook.kind === kind);
  if (wanted.length > 0) return wanted;
  const known = [...new Set(hooks.map((hook) => hook.kind))].join(", ");
  throw new BpfError(`hooks ${kind}`, `program ${name} has no such variant`, {
    hint: `take hooks: auto, or one of ${known}`,
  });
}

/** What this kernel lacks for a variant; undefined where it takes it. */
function whyNot(
  backend: Pick<Backend, "open">,
  bytes: Uint8Array,
  { object: name }: CollectorSpec,
  hook: HookSpec,
): BpfError | undefined {
  if (hook.minKernel !== undefined && !kernelAtLeast(hook.minKernel)) {
    return new NotSupportedError(`exact counts by ${hook.kind}`, hook.minKernel);
  }
  const object = backend.open(bytes, { name, programs: [hook.function] });
  try {
    object.load();
    object.programs.get(hook.function)!.attach().close();
    return undefined;
  } catch (error) {
    if (error instanceof BpfError && !isNoMatterOfHooks(error)) return error;
    throw error;
  } finally {
    object.close();
  }
}

/** Another way to attach would fail of the same. */
function isNoMatterOfHooks({ errno }: BpfError): boolean {
  return errno === ERRNO.EPERM || errno === ERRNO.ENOMEM;
}

function noneLeft(
  program: string,
  kind: ProgramKind | "auto",
  refused: readonly RefusedHook[],
  last: BpfError,
): BpfError {
  if (kind !== "auto") {
    const hint = "or take hooks: auto";
    return new BpfError(`hooks ${kind}`, `not for ${program}: ${last.message}`, { hint });
  }
  if (refused.length === 1) return last;
  const tried = refused.map(({ hook }) => hook).join(", ");
  const problem = `none of ${tried} can be used; of the last, ${last.message}`;
  return new BpfError(`hook of ${program}`, problem, { cause: last });
}
