/** The control socket of a run in progress, as clients meet it: good ones, bad ones, several. */
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { connectControl } from "#cli/daemon/control_client.ts";
import type { RunReport } from "#cli/run/report.ts";
import { endRun, type RunProcess, startRun } from "../../support/run_process.ts";
import { tapio } from "../../support/tapio.ts";

const folder = mkdtempSync(join(tmpdir(), "tapio-control-"));
const socket = join(folder, "run.sock");
const config = join(folder, "tapio.yaml");
const running: RunProcess[] = [];

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  for (const run of running.splice(0)) await endRun(run);
});

async function start(args: readonly string[], environment = {}): Promise<RunProcess> {
  const run = startRun(args, environment);
  running.push(run);
  return run;
}

async function listening(path: string): Promise<void> {
  const reached = async () => (await connectControl(path)).close();
  await vi.waitFor(reached, { timeout: 20_000, interval: 50 });
}

async function exchange(path: string, text: string): Promise<unknown[]> {
  const connection = createConnection(path);
  await once(connection, "connect");
  let answer = "";
  connection.on("data", (chunk) => (answer += chunk));
  connection.write(text);
  await vi.waitFor(() => expect(answer).toContain("\n"), { timeout: 10_000 });
  connection.end();
  return answer
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("a run in progress", () => {
  it("answers at a socket that only its user may use, and ends when told", async () => {
    const run = await start(["--socket", socket]);
    await listening(socket);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const client = await connectControl(socket);
    expect(await client.call("run.describe")).toMatchObject({ pid: run.process.pid });
    const report = (await client.call("run.report")) as RunReport;
    expect(report.books.residual).toBe(0);
    client.close();
    expect(tapio(["stop", "--socket", socket])).toMatchObject({ status: 0, error: "" });
    await once(run.process, "close");
    expect(run.process.exitCode).toBe(0);
    expect((JSON.parse(run.output.out) as RunReport).books.seen).toBeGreaterThan(0);
    expect(() => statSync(socket)).toThrow(/ENOENT/);
  });

  it("survives clients that talk nonsense", async () => {
    await start(["--socket", socket]);
    await listening(socket);
    const [junk, unknown, wrong] = await Promise.all([
      exchange(socket, "hello\n"),
      exchange(socket, '{"id":7,"method":"run.fly"}\n'),
      exchange(socket, '{"id":8,"method":"run.describe","params":{"loud":true}}\n'),
    ]);
    expect(junk).toEqual([{ id: 0, error: { message: expect.any(String), usage: true } }]);
    expect(unknown).toEqual([
      { id: 7, error: { message: expect.stringMatching(/run\.fly/), usage: true } },
    ]);
    expect(wrong).toEqual([
      { id: 8, error: { message: expect.stringMatching(/loud/), usage: true } },
    ]);
    const rude = createConnection(socket);
    rude.write('{"id":1,"method":"run.rep');
    rude.destroy();
    const two = '{"id":1,"method":"run.describe"}\n{"id":2,"method":"run.describe"}\n';
    expect(await exchange(socket, two)).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it("keeps its socket from a second run, and takes over that of a dead one", async () => {
    const first = await start(["--socket", socket]);
    await listening(socket);
    const second = tapio(["run", "--socket", socket]);
    expect(second.status).toBe(1);
    expect(second.error).toMatch(/another run listens there; give --socket another path$/);
    first.process.kill("SIGKILL");
    await once(first.process, "close");
    expect(statSync(socket).isSocket()).toBe(true);
    await start(["--socket", socket]);
    await listening(socket);
  });

  it("is found without --socket while it is the only one", async () => {
    const runtime = join(folder, "runtime");
    mkdirSync(runtime, { recursive: true });
    const environment = { XDG_RUNTIME_DIR: runtime };
    vi.stubEnv("XDG_RUNTIME_DIR", runtime);
    const nobody = tapio(["stop"]);
    expect(nobody.status).toBe(1);
    expect(nobody.error).toMatch(/no run is in progress; start tapio-bpf run/);
    const serving = ["--pace", "1", "--duration", "60"];
    const runs = [await start(serving, environment), await start(serving, environment)];
    const path = (run: RunProcess) => join(runtime, "tapio-bpf", `${run.process.pid}.sock`);
    for (const run of runs) await listening(path(run));
    const choice = tapio(["stop"]);
    expect(choice.status).toBe(2);
    expect(choice.error).toMatch(/several runs are in progress; give --socket one of/);
    await endRun(runs[0]!);
    expect(tapio(["stop"]).status).toBe(0);
    vi.unstubAllEnvs();
  });

  it("goes on without a socket of its own where others may enter the folder", async () => {
    const runtime = join(folder, "open");
    mkdirSync(join(runtime, "tapio-bpf"), { recursive: true });
    chmodSync(join(runtime, "tapio-bpf"), 0o777);
    const run = await start(["--duration", "0.1"], { XDG_RUNTIME_DIR: runtime });
    await once(run.process, "close");
    expect(run.process.exitCode).toBe(0);
    expect(run.output.error).toMatch(/no control socket: .*others may enter it/);
  });
});

describe("the configuration of a run", () => {
  it("is read again on request, on SIGHUP and when the file changes; a wrong one changes nothing", async () => {
    writeFileSync(config, "collectors: [tcp]\n");
    const run = await start(["--config", config, "--socket", socket]);
    await listening(socket);
    expect(tapio(["reload", "--socket", socket])).toMatchObject({ status: 0, error: "" });
    writeFileSync(config, "collectors: [tcp]\nnonsense: 1\n");
    await vi.waitFor(
      () => expect(run.output.error).toMatch(/changed: .*:2: nonsense: .*the old one stays/),
      { timeout: 10_000 },
    );
    const refused = tapio(["reload", "--socket", socket]);
    expect(refused.status).toBe(1);
    expect(refused.error).toMatch(/tapio\.yaml:2: nonsense: there is no such setting/);
    run.process.kill("SIGHUP");
    await vi.waitFor(() => expect(run.output.error).toMatch(/SIGHUP: .*the old one stays/), {
      timeout: 10_000,
    });
    writeFileSync(config, "collectors: [tcp, syscall]\n");
    const changed = tapio(["reload", "--socket", socket]);
    expect(changed.error).toMatch(/collectors: cannot change while the run lasts; start it again/);
    writeFileSync(config, "collectors: [tcp]\nhooks: tracepoint\n");
    const hooked = tapio(["reload", "--socket", socket]);
    expect(hooked.error).toMatch(/hooks: cannot change while the run lasts; start it again/);
    writeFileSync(config, "collectors: [tcp]\n# better\n");
    await vi.waitFor(() => expect(run.output.error).toMatch(/changed: the configuration is in/), {
      timeout: 10_000,
    });
    expect(await endRun(run)).toBe(0);
  });
});
