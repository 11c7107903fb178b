/**
 * The simulated machine, compiler included, in a real browser; the page is bundled here. Skipped
 * where no Chromium is installed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BrowserSizes, buildBrowser } from "../../scripts/build_browser.ts";
import { findExecutable } from "../../scripts/install_tools.ts";

const CHROMIUM = findExecutable("chromium");
const ATTEMPTS_MAX = 5;
const COMPRESSED_BYTES_MAX = 150 * 1024;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};
/** The page's own work only: nothing that a browser would otherwise do in the background. */
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--virtual-time-budget=60000",
  "--dump-dom",
];

function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const name = basename(request.url === "/" ? "index.html" : request.url!);
    try {
      const body = readFileSync(join("build/browser", name));
      response.setHeader("content-type", TYPES[extname(name)] ?? "application/octet-stream");
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function output(process: ChildProcess): Promise<string> {
  let text = "";
  process.stdout!.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => process.on("close", () => resolve(text)));
}

async function pageText(url: string): Promise<string> {
  const profile = mkdtempSync(join(tmpdir(), "tapio-browser-"));
  try {
    const flags = [...FLAGS, `--user-data-dir=${profile}`, url];
    return await output(spawn(CHROMIUM!, flags, { stdio: ["ignore", "pipe", "ignore"] }));
  } finally {
    rmSync(profile, { recursive: true, force: true });
  }
}

/**
 * What the page shows in the end. The browser's virtual time runs out early where a busy machine compiles in the
 * background for long, or the browser does not come up: then the page still says that it is running, or nothing.
 */
async function shownBy(url: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const page = await pageText(url);
    const shown = /<pre>(.*?)<\/pre>/s.exec(page)?.[1] ?? page;
    if (!["running", ""].includes(shown) || attempt === ATTEMPTS_MAX) return shown;
  }
}

describe("the browser bundle", () => {
  let sizes: BrowserSizes;
  let server: Server;

  beforeAll(async () => {
    sizes = await buildBrowser();
    server = await serve();
  });
  afterAll(() => server.close());

  it("is at most 150 KB compressed, runtime and compiler together", () => {
    const total = sizes.javascript_gzip_bytes + sizes.runtime_gzip_bytes;
    expect(total).toBeLessThanOrEqual(COMPRESSED_BYTES_MAX);
  });

  it.skipIf(CHROMIUM === undefined)(
    "runs in headless Chromium: compiles, replays, balances",
    async () => {
      const { port } = server.address() as AddressInfo;
      const shown = await shownBy(`http://127.0.0.1:${port}/`);
      const { engine, books } = JSON.parse(shown) as {
        engine: string;
        books: Record<string, { seen: number; delivered: number; residual: number }>;
      };
      expect(engine).toBe("aot");
      for (const name of ["tcp", "syscall"]) {
        const { seen, delivered, residual } = books[name]!;
        expect(seen).toBeGreaterThan(100);
        expect({ delivered, residual }).toEqual({ delivered: seen, residual: 0 });
      }
    },
  );
});
