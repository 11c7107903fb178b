/**
 * Hooks of the simulated kernel: a name (`"tracepoint/sock/inet_sock_set_state"`), a number that the
 * runtime knows it by, and the programs attached.
 */
import { BpfError, ERRNO, NotSupportedError } from "#core/errors.ts";
import type { RuntimeInstance } from "../instance.ts";

const HOOKS_MAX = 256;

/** The name of the hook that a section means: sections say the same hook in several ways. */
export function canonicalHook(section: string): string {
  const name = section.startsWith("?") ? section.slice(1) : section;
  return name.startsWith("tp/") ? `tracepoint/${name.slice(3)}` : name;
}

export class Hooks {
  readonly #instance: RuntimeInstance;
  readonly #ids = new Map<string, number>();

  constructor(instance: RuntimeInstance) {
    this.#instance = instance;
  }

  #id(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    if (id === HOOKS_MAX) throw new BpfError(`hook ${name}`, `more than ${HOOKS_MAX} hooks`);
    this.#ids.set(name, id);
    return id;
  }

  /** Says how long the contexts of a hook are; returns the hook's number. */
  define(name: string, contextSize: number): number {
    const id = this.#id(canonicalHook(name));
    const result = this.#instance.exports.hook_define(id, contextSize);
    if (result < 0) {
      throw new BpfError(`hook ${name}`, "already has contexts of another size", {
        errno: -result,
      });
    }
    return id;
  }

  /** Attaches a program to the hook that its section names. Returns what detaches it. */
  attach(section: string, program: number): () => void {
    const name = canonicalHook(section);
    if (!name.includes("/")) throw new NotSupportedError(`attaching to section ${section}`, "");
    const id = this.#id(name);
    const result = this.#instance.exports.hook_attach(id, program);
    if (result < 0) {
      const problem =
        result === -ERRNO.E2BIG ? "too many programs at this hook" : "there is no such program";
      throw new BpfError(`attach to ${name}`, problem, { errno: -result });
    }
    return () => {
      this.#instance.exports.hook_detach(id, program);
    };
  }
}
