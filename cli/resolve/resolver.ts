/** What names of cgroups, containers, pods and programs stand for on this machine, now. */
import { readdirSync, readlinkSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { NamedRule, Resolution } from "#core/filters/named_rule.ts";

/** Folders that are looked at; a machine has some thousands. */
const FOLDERS_MAX = 50_000;

export interface ResolverRoots {
  readonly cgroups: string;
  readonly proc: string;
}

export const MACHINE_ROOTS: ResolverRoots = { cgroups: "/sys/fs/cgroup", proc: "/proc" };

function cgroupId(folder: string): string | undefined {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino.toString();
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch {
    // It went away, or is not ours to see.
    return [];
  }
}

/** The highest cgroups whose names say so; what lies below belongs to them. */
function findCgroups(root: string, wanted: (name: string) => boolean): string[] {
  const found: string[] = [];
  const queue = [root];
  for (let looked = 0; looked < queue.length && looked < FOLDERS_MAX; looked++) {
    for (const folder of subfolders(queue[looked]!)) {
      if (wanted(basename(folder))) found.push(folder);
      else queue.push(folder);
    }
  }
  return found;
}

/** Runtimes name a container's cgroup by its id, some with a word before and `.scope` behind. */
const isContainer = (id: string) => (name: string) =>
  (/[0-9a-f]{64}/.exec(name)?.[0] ?? name).startsWith(id);

/** The kubelet writes `pod<UID>`, under systemd with underscores. */
const isPod = (uid: string) => (name: string) =>
  name.includes(`pod${uid}`) || name.includes(`pod${uid.replaceAll("-", "_")}`);

function processesOf(proc: string, executable: string): number[] {
  let names: string[];
  try {
    names = readdirSync(proc);
  } catch {
    return [];
  }
  return names
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readlinkSync(join(proc, name, "exe")) === executable;
      } catch {
        // It ended, has no program (a kernel thread), or is another user's.
        return false;
      }
    })
    .map(Number)
    .sort((a, b) => a - b);
}

export function resolveNamedRule(rule: NamedRule, roots: ResolverRoots): Resolution {
  if ("executable" in rule) {
    return { cgroups: [], pids: processesOf(roots.proc, rule.executable) };
  }
  const folders =
    "cgroup_path" in rule
      ? [join(roots.cgroups, rule.cgroup_path)]
      : findCgroups(
          roots.cgroups,
          "container" in rule ? isContainer(rule.container) : isPod(rule.pod),
        );
  const cgroups = folders.flatMap((folder) => cgroupId(folder) ?? []).sort();
  return { cgroups, pids: [] };
}
