/**
 * The machine's own package sources, turned into a list for another suite of the same distribution:
 * whatever mirror the machine uses is the one that is asked.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface AptSource {
  readonly uri: string;
  readonly suite: string;
  /** Options of a one-line entry that still hold for another suite (`signed-by=FILE`). */
  readonly options: string;
}

/** Sources of binary packages in `/etc/apt`. */
export function machineSources(folder = "/etc/apt"): readonly AptSource[] {
  const parts = join(folder, "sources.list.d");
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const paths = [join(folder, "sources.list"), ...names.map((name) => join(parts, name))];
  return paths.filter(existsSync).flatMap((path) => {
    const text = readFileSync(path, "utf8");
    if (path.endsWith(".sources")) return stanzas(text);
    return path.endsWith(".list") ? lines(text) : [];
  });
}

function lines(text: string): AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s/.exec(`${line} `);
    if (match === null) return [];
    const kept = (match[1] ?? "").split(/\s+/).filter((option) => /^signed-by=/i.test(option));
    return [{ uri: match[2]!, suite: match[3]!, options: kept.join(" ") }];
  });
}

function stanzas(text: string): AptSource[] {
  const withoutComments = text.replaceAll(/^#.*\n?/gm, "");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const words = (name: string) => {
      const field = new RegExp(`^${name}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "im").exec(stanza);
      return (field?.[1] ?? "").split(/\s+/).filter((word) => word !== "");
    };
    if (!words("Types").includes("deb") || words("Enabled")[0]?.toLowerCase() === "no") return [];
    const keys = words("Signed-By");
    // A key in the stanza itself cannot be named in one line; apt's trusted keys remain.
    const options = keys.length === 1 && keys[0]!.startsWith("/") ? `signed-by=${keys[0]}` : "";
    return words("URIs").flatMap((uri) =>
      words("Suites").map((suite) => ({ uri, suite, options })),
    );
  });
}

/**
 * One-line sources of `suite`, from the machine's entries of the same kind (security or not).
 * `codename` is the machine's own release. Throws where it has none of them.
 */
export function sourcesOfSuite(
  suite: string,
  sources: readonly AptSource[],
  codename: string,
): string {
  const security = suite.endsWith("-security");
  const own = security ? [`${codename}-security`, `${codename}/updates`] : [codename];
  const found = sources.filter((source) => own.includes(source.suite));
  if (found.length === 0) {
    throw new Error(`/etc/apt names no source of ${own[0]}, so none of ${suite} can be derived`);
  }
  const list = found.map(({ uri, options }) => {
    return `deb ${options === "" ? "" : `[${options}] `}${uri} ${suite} main\n`;
  });
  return [...new Set(list)].join("");
}
