import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { archive, compressed } from "#vm-tests/harness/initramfs.ts";
import { findExecutable } from "../../scripts/install_tools.ts";

const text = (value: string) => new TextEncoder().encode(value);

describe("an archive", () => {
  test("has the header, name and bytes of every file at multiples of four", () => {
    const bytes = Buffer.from(archive([{ path: "/a", content: text("12345"), mode: 0o644 }]));
    expect(bytes.toString("latin1", 0, 6)).toBe("070701");
    expect(bytes.toString("latin1", 14, 22)).toBe((0o100644).toString(16).padStart(8, "0"));
    expect(bytes.toString("latin1", 54, 62)).toBe("00000005");
    expect(bytes.toString("latin1", 110, 112)).toBe("a\0");
    expect(bytes.toString("latin1", 112, 117)).toBe("12345");
    expect(bytes.toString("latin1", 120, 126)).toBe("070701");
    expect(bytes.length % 4).toBe(0);
    expect(bytes.includes("TRAILER!!!\0")).toBe(true);
  });

  test("compressed, ends at a multiple of four and unpacks to itself", () => {
    const whole = archive([{ path: "/deep/er/file", content: text("x".repeat(10_001)) }]);
    const packed = compressed(whole);
    expect(packed.length % 4).toBe(0);
    expect(packed.length).toBeLessThan(whole.length / 5);
    expect(Buffer.from(zstdDecompressSync(packed)).equals(whole)).toBe(true);
  });

  test.skipIf(findExecutable("cpio") === undefined)("is one that cpio unpacks", () => {
    const folder = mkdtempSync(join(tmpdir(), "cpio-"));
    try {
      const files = [
        { path: "/init", content: text("first") },
        { path: "/bin/deep/tool", content: text("second\n"), mode: 0o600 },
        { path: "/empty", content: text("") },
      ];
      const options = { cwd: folder, input: archive(files), stdio: "pipe" } as const;
      execFileSync("cpio", ["-i", "--quiet"], options);
      expect(readFileSync(join(folder, "bin/deep/tool"), "utf8")).toBe("second\n");
      expect(statSync(join(folder, "bin/deep/tool")).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder, "init")).mode & 0o777).toBe(0o755);
      expect(statSync(join(folder, "empty")).size).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
