/**
 * Where this machine gets its packages from, for builds inside a container: files for the build's
 * secrets (see the Dockerfile), of which nothing ends up in an image.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const SOURCES = "/etc/apt/sources.list.d";
const SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt";

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function output(command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : "";
}

function sourceFiles(suffix: string): string[] {
  if (!existsSync(SOURCES)) return [];
  const names = readdirSync(SOURCES).filter((name) => name.endsWith(suffix));
  return names.sort().map((name) => read(join(SOURCES, name)));
}

/** Archives whose key every Debian has; a container lacks those of others. */
function isDebian(source: string): boolean {
  const signedBy = /signed-by\s*[:=]\s*(\S+)/i.exec(source)?.[1];
  return signedBy === undefined || signedBy.includes("debian-archive");
}

/** Sources in the format of `.sources` files. */
function aptSources(): string {
  const stanzas = sourceFiles(".sources").flatMap((text) => text.split(/\n\s*\n/));
  return stanzas.filter((text) => /^URIs:/im.test(text) && isDebian(text)).join("\n\n");
}

/** Sources in the format of `sources.list`. */
function aptList(): string {
  const lines = [read("/etc/apt/sources.list"), ...sourceFiles(".list")].join("\n").split("\n");
  return lines.filter((line) => /^\s*deb\s/.test(line) && isDebian(line)).join("\n");
}

/** How archives are reached: proxies, retries, checks of dates. */
function aptConfiguration(ca: string): string {
  const wanted = /^Acquire::(http|https|Retries|Check-)\S*\s+"[^"]+";$/;
  const lines = output("apt-config", "dump").split("\n");
  const kept = lines.filter((line) => wanted.test(line) && !/::(CaInfo|Ssl)/i.test(line));
  if (ca !== "") kept.push('Acquire::https::CaInfo "/run/secrets/ca";');
  return kept.join("\n");
}

/** npm's configuration of this user, without paths that mean nothing in a container. */
function npmrc(): string {
  const lines = read(join(homedir(), ".npmrc")).split("\n");
  const kept = lines.filter((line) => !/^\s*(cafile|cache|prefix|nodedir|registry)\s*=/.test(line));
  const registry = output("npm", "config", "get", "registry");
  if (registry !== "") kept.push(`registry=${registry}`);
  return kept.join("\n");
}

function authorities(): string {
  const chosen = [process.env["NODE_EXTRA_CA_CERTS"], process.env["SSL_CERT_FILE"], SYSTEM_CA];
  return read(chosen.find((path) => path !== undefined && existsSync(path)) ?? "");
}

/** Writes the files to `folder`. Returns the `--secret` arguments of a build that reads them. */
export function writeBuildSecrets(folder: string): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const ca = authorities();
  const secrets = {
    apt_sources: aptSources(),
    apt_list: aptList(),
    apt_conf: aptConfiguration(ca),
    npmrc: npmrc(),
    cargo_config: read(join(homedir(), ".cargo/config.toml")),
    ca,
  };
  return Object.entries(secrets).flatMap(([name, content]) => {
    if (content.trim() === "") return [];
    const path = join(folder, name);
    writeFileSync(path, `${content}\n`, { mode: 0o600 });
    return ["--secret", `id=${name},src=${path}`];
  });
}

export interface DebianArchive {
  readonly codename: string;
  readonly url: string;
}

/** The archive that this Debian comes from; undefined on other systems. */
export function debianArchive(): DebianArchive | undefined {
  const release = read("/etc/os-release");
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined) return undefined;
  const format = ["--format", "$(REPO_URI) $(RELEASE) $(CREATED_BY)"];
  const targets = output("apt-get", "indextargets", ...format, "Created-By: Packages").split("\n");
  const url = targets.map((line) => line.split(" ")).find(([, suite]) => suite === codename)?.[0];
  return url === undefined ? undefined : { codename, url };
}
