/** The OpenTelemetry project's own collector on a run's metrics. `npm run test:otlp` builds it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { INSTRUMENTS } from "#core/telemetry/instruments/index.ts";
import { freePort } from "../../support/free_port.ts";
import { ended, startRun } from "../../support/run_process.ts";

const RECEIVER = "build/otlp_receiver";
const CONFIG = "test/testdata/otlp_receiver/receiver.yaml";

it.skipIf(!existsSync(RECEIVER))("the OpenTelemetry collector takes every instrument", async () => {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "tapio-otlp-"));
  const config = join(folder, "tapio.yaml");
  const otlp = `{ endpoint: "http://127.0.0.1:${port}/v1/metrics", interval_s: 0.5, timeout_ms: 400 }`;
  writeFileSync(config, `telemetry: { otlp: ${otlp} }\n`);
  const receiver = spawn(RECEIVER, ["--config", CONFIG], {
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  receiver.stderr.on("data", (chunk) => (said += chunk));
  try {
    await vi.waitFor(() => expect(said).toContain("Everything is ready"), { timeout: 20_000 });
    const run = startRun(["--config", config, "--duration", "2"]);
    expect(await ended(run), run.output.error).toBe(0);
    await vi.waitFor(() => expect(said).toContain("bpf.health"), { timeout: 10_000 });
    const units = new Map(
      [...said.matchAll(/-> Name: (\S+)\n.*Description: .*\n.*Unit: (\S+)/g)].map(
        ([, name, unit]) => [name, unit] as const,
      ),
    );
    const conditional = ["bpf.export.failures"];
    for (const { name, unit } of INSTRUMENTS) {
      if (conditional.includes(name) && !units.has(name)) continue;
      expect({ name, unit: units.get(name) }).toEqual({ name, unit });
    }
    expect(said).not.toMatch(/\berror\t/);
  } finally {
    receiver.kill();
    rmSync(folder, { recursive: true });
  }
});
