/** A temporary directory that is gone afterwards, whatever happens short of SIGKILL. */

import { mkdtempSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import process from "node:process";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Gives `action` a directory beside `file` and removes it afterwards. */
export async function withScratch<T>(
  file: string,
  action: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  const scratch = Scratch.beside(file);
  try {
    return await action(scratch);
  } finally {
    scratch.remove();
  }
}

/** Call `remove()` when done; a signal or an exit before that removes the directory, too. */
export class Scratch {
  readonly path: string;
  readonly #onExit = (): void => this.remove();
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.remove();
    // Our listener is gone now: the signal does what it would have done without us.
    process.kill(process.pid, signal);
  };

  private constructor(path: string) {
    this.path = path;
    process.once("exit", this.#onExit);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  /**
   * Makes a directory beside `file`: on the same file system, so that a file in it can be renamed
   * to `file`, and on a disk rather than in a memory file system such as /tmp may be.
   */
  static beside(file: string): Scratch {
    return new Scratch(mkdtempSync(join(dirname(file), `.${basename(file)}.`)));
  }

  /** The path of a file in the directory. */
  file(name: string): string {
    return join(this.path, name);
  }

  remove(): void {
    process.removeListener("exit", this.#onExit);
    for (const signal of SIGNALS) process.removeListener(signal, this.#onSignal);
    rmSync(this.path, { recursive: true, force: true });
  }
}
