import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConfigWatcher } from "#cli/config/config_watcher.ts";

let folder: string;
let watcher: ConfigWatcher | undefined;
const changed = vi.fn<() => void>();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tapio-watch-"));
  changed.mockReset();
});
afterEach(() => {
  watcher?.close();
  rmSync(folder, { recursive: true });
});

const file = (name: string): string => join(folder, name);
const times = (count: number): Promise<void> =>
  vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(count), { timeout: 10_000 });

test("a file written in place is noticed", async () => {
  writeFileSync(file("a"), "one");
  watcher = new ConfigWatcher(file("a"), changed);
  writeFileSync(file("a"), "two");
  await times(1);
});

test("a file replaced by a rename is noticed, again and again", async () => {
  writeFileSync(file("a"), "one");
  watcher = new ConfigWatcher(file("a"), changed);
  for (const [index, content] of ["two", "three"].entries()) {
    writeFileSync(file("b"), content);
    renameSync(file("b"), file("a"));
    await times(index + 1);
  }
});

test("a link that comes to lead elsewhere is noticed", async () => {
  writeFileSync(file("one"), "one");
  writeFileSync(file("two"), "two");
  symlinkSync("one", file("a"));
  watcher = new ConfigWatcher(file("a"), changed);
  symlinkSync("two", file("b"));
  renameSync(file("b"), file("a"));
  await times(1);
});

test("a file that goes away and comes back the same is no change", async () => {
  writeFileSync(file("a"), "one");
  watcher = new ConfigWatcher(file("a"), changed);
  unlinkSync(file("a"));
  writeFileSync(file("a"), "one");
  writeFileSync(file("other"), "x");
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(changed).not.toHaveBeenCalled();
});
