/**
 * Tells when a configuration file changed. Watches the folder: editors and config-map mounts
 * replace a file (or a link above it) and never write into it. What counts is the content, read again
 * after things have been quiet for a moment.
 */
import { type FSWatcher, readFileSync, watch } from "node:fs";
import { dirname } from "node:path";

/** A file that is being written changes several times. */
const QUIET_MS = 100;
/** Some file systems report nothing; so one looks every now and then. */
const POLL_MS = 2000;

export class ConfigWatcher {
  readonly #path: string;
  readonly #changed: () => void;
  readonly #watcher: FSWatcher | undefined;
  readonly #poll: NodeJS.Timeout;
  #quiet: NodeJS.Timeout | undefined;
  #content: string | undefined;

  /** `changed` is called after each change of the content; it does its own error handling. */
  constructor(path: string, changed: () => void) {
    this.#path = path;
    this.#changed = changed;
    this.#content = this.#read();
    this.#watcher = this.#watchFolder();
    this.#poll = setInterval(() => this.#look(), POLL_MS);
    this.#poll.unref();
  }

  #watchFolder(): FSWatcher | undefined {
    try {
      const watcher = watch(dirname(this.#path), { persistent: false }, () => this.#soon());
      watcher.on("error", () => watcher.close());
      return watcher;
    } catch {
      // Out of watches, or a file system without: polling remains.
      return undefined;
    }
  }

  #soon(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#look(), QUIET_MS);
    this.#quiet.unref();
  }

  #look(): void {
    const content = this.#read();
    if (content === undefined || content === this.#content) return;
    this.#content = content;
    this.#changed();
  }

  /** Undefined while the file is away, between two steps of its replacement. */
  #read(): string | undefined {
    try {
      return readFileSync(this.#path, "utf8");
    } catch {
      return undefined;
    }
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#quiet);
    this.#watcher?.close();
  }
}
