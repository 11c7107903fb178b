/** Maps, programs and links pinned in a BPF file system of the test's own. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ERRNO } from "#core/errors.ts";
import { unpin } from "#kernel/pin.ts";
import { compileBpf } from "../support/clang.ts";
import { thrown } from "../support/thrown.ts";
import { describeNative, withBackend } from "./native.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-bpffs-"));
const at = (name: string): string => join(folder, name);
const ARRAY = { name: "pinned", type: 2, keySize: 4, valueSize: 8, maxEntries: 3, flags: 0 };

describeNative("pinning", () => {
  beforeAll(() => {
    const mounted = spawnSync("mount", ["-t", "bpf", "bpf", folder], { encoding: "utf8" });
    expect(mounted.stderr).toBe("");
  });
  afterAll(() => {
    const left = readdirSync(folder).filter((name) => !name.endsWith(".debug"));
    expect(left).toEqual([]);
    spawnSync("umount", [folder]);
    rmSync(folder, { recursive: true });
  });

  it("a map lives on in its file, and is found again with its shape", async () => {
    const key = new Uint8Array(4);
    const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    await withBackend((backend) => {
      const map = backend.createMap(ARRAY);
      map.update(key, value);
      map.pin(at("map"));
      const again = thrown(() => map.pin(at("map")));
      expect(again).toMatchObject({ errno: ERRNO.EEXIST, hint: expect.stringContaining("remove") });
    });
    await withBackend((backend) => {
      const map = backend.openPinnedMap(at("map"));
      expect(map.spec).toMatchObject({ type: 2, keySize: 4, valueSize: 8, maxEntries: 3 });
      const found = new Uint8Array(8);
      expect(map.lookup(key, found)).toBe(true);
      expect(found).toEqual(value);
      unpin(at("map"));
      unpin(at("map"));
      expect(existsSync(at("map"))).toBe(false);
      expect(map.lookup(key, found)).toBe(true);
      expect(thrown(() => backend.openPinnedMap(at("map"))).errno).toBe(ERRNO.ENOENT);
    });
  });

  it("a link keeps its program attached after its process closed it, until the file goes", async () => {
    await withBackend((backend) => {
      const object = backend.open(compileBpf("test/kernel/hooks.bpf.c"), {
        programs: ["on_raw_tracepoint"],
        constants: { watched_pid: process.pid },
      });
      object.load();
      const program = object.programs.get("on_raw_tracepoint")!;
      const runs = new BigUint64Array(object.maps.get("runs")!.memory().buffer);
      const total = (): bigint => runs.reduce((sum, count) => sum + count, 0n);
      const link = program.attach();
      link.pin(at("link"));
      link.close();
      const before = total();
      readdirSync("/proc/self");
      expect(total()).toBeGreaterThan(before);
      unpin(at("link"));
      for (let last = -1n; last !== total(); ) {
        last = total();
        spawnSync("true");
      }
      const after = total();
      readdirSync("/proc/self");
      expect(total()).toBe(after);
      program.pin(at("program"));
      expect(thrown(() => backend.openPinnedMap(at("program"))).message).toContain("no map");
      unpin(at("program"));
    });
  });

  it("outside of a BPF file system it is refused with the remedy", () =>
    withBackend((backend) => {
      const map = backend.createMap(ARRAY);
      const error = thrown(() => map.pin(join(tmpdir(), "tapio-no-bpffs")));
      expect(error.message).toContain("mount -t bpf");
      expect(thrown(() => map.pin(at("absent/map"))).errno).toBe(ERRNO.ENOENT);
    }));
});
