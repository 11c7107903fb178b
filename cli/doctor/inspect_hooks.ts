/** How the collectors' programs would attach on this kernel, found out by attaching them for a moment. */
import { COLLECTORS } from "#core/events/collectors.ts";
import { createKernelBackend } from "#kernel/backend.ts";
import { describeHook, hooksFor } from "../run/hooks.ts";
import type { Finding } from "./inspect_machine.ts";

const OPTIONAL = { remedy: "", required: false };

/** A finding a program, or one that says why none attaches; empty where there is no kernel backend. */
export function inspectHooks(): Finding[] {
  return [...COLLECTORS.values()].flatMap((spec): Finding[] => {
    const what = (program: string): string => `hook of ${program}`;
    try {
      const backend = createKernelBackend();
      try {
        return hooksFor(backend, [spec], { hooks: "auto" }).map((chosen) => ({
          name: what(chosen.program),
          ok: true,
          detail: describeHook(chosen),
          ...OPTIONAL,
        }));
      } finally {
        backend.close();
      }
    } catch (error) {
      const detail = (error as Error).message;
      return [{ name: what(`collector ${spec.name}`), ok: false, detail, ...OPTIONAL }];
    }
  });
}
