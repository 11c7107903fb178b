/** What the image has to do, each found out by running it. */
import type { CommandResult, Engine } from "./engine.ts";

const SAMPLE = "/opt/tapio-bpf/samples/web-loss.trace";
const KERNEL_RUN = [
  ...["run", "--backend", "kernel", "--collector", "tcp,syscall"],
  ...["--duration", "5", "-o", "json"],
];
/** The collectors leave out their own process by the id that the kernel knows it by. */
const HOST = ["--pid=host", "-v", "/sys/kernel/tracing:/sys/kernel/tracing"];

interface Check {
  readonly name: string;
  readonly engine: readonly string[];
  readonly entry?: string;
  readonly args: readonly string[];
  /** Returns what was found; throws where it is wrong. */
  readonly judge: (result: CommandResult) => string;
}

interface Report {
  readonly backend: string;
  readonly books: { readonly seen: number; readonly delivered: number; readonly residual: number };
}

function expectThat(condition: boolean, wrong: string): void {
  if (!condition) throw new Error(wrong);
}

function succeeded({ status, stdout, stderr }: CommandResult): string {
  expectThat(status === 0, `exit code ${status}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** The report of a run on `backend` that saw something and lost nothing unaccounted for. */
function closedBooks(backend: string): Check["judge"] {
  return (result) => {
    const report = JSON.parse(succeeded(result)) as Report;
    const { seen, delivered, residual } = report.books;
    expectThat(report.backend === backend, `the backend is ${report.backend}, not ${backend}`);
    expectThat(seen > 0 && delivered > 0, `seen ${seen}, delivered ${delivered}: nothing to judge`);
    expectThat(residual === 0, `books.residual is ${residual}`);
    const said = result.stderr.trim();
    const books = `backend ${backend}, seen ${seen}, delivered ${delivered}, residual ${residual}`;
    return said === "" ? books : `${books} (${said})`;
  };
}

/** Fails in one line that names what is missing. */
function refuses(missing: string): Check["judge"] {
  return ({ status, stderr }) => {
    const lines = stderr.trim().split("\n");
    expectThat(status === 1, `exit code ${status}, not 1: ${stderr.trim()}`);
    const good = lines.length === 1 && lines[0]!.includes(missing);
    expectThat(good, `not one line about ${missing}: ${stderr.trim()}`);
    return lines[0]!;
  };
}

const grant = (...capabilities: string[]): string[] => [
  "--cap-drop=ALL",
  ...capabilities.map((name) => `--cap-add=${name}`),
];

const CHECKS: readonly Check[] = [
  {
    name: "runs as another user than root",
    engine: [],
    entry: "id",
    args: ["-u"],
    judge: (result) => {
      const user = succeeded(result).trim();
      expectThat(user !== "0", "the user is root");
      return `user ${user}`;
    },
  },
  {
    name: "the command of the health check says ready",
    engine: grant(),
    args: ["doctor", "-o", "json"],
    judge: (result) => {
      const { ready } = JSON.parse(succeeded(result)) as { readonly ready: boolean };
      expectThat(ready, "doctor says that it is not ready");
      return "ready";
    },
  },
  {
    name: "wasm backend: no capability, no network, read-only",
    engine: [...grant(), "--read-only", "--security-opt=no-new-privileges"],
    args: ["run", "--trace", SAMPLE, "--collector", "tcp,syscall", "-o", "json"],
    judge: closedBooks("wasm"),
  },
  {
    name: "kernel backend without a capability: one line that says what is missing",
    engine: [...grant(), ...HOST],
    args: KERNEL_RUN,
    judge: refuses("CAP_BPF"),
  },
  {
    name: "kernel backend, not root, CAP_BPF + CAP_PERFMON + CAP_DAC_READ_SEARCH",
    engine: [...grant("BPF", "PERFMON", "DAC_READ_SEARCH"), ...HOST],
    args: KERNEL_RUN,
    judge: closedBooks("kernel"),
  },
  {
    name: "kernel backend, root, CAP_BPF + CAP_PERFMON",
    engine: ["--user=0", ...grant("BPF", "PERFMON"), ...HOST],
    args: KERNEL_RUN,
    judge: closedBooks("kernel"),
  },
  {
    name: "kernel backend, not root, CAP_SYS_ADMIN + CAP_DAC_READ_SEARCH",
    engine: [...grant("SYS_ADMIN", "DAC_READ_SEARCH"), ...HOST],
    args: KERNEL_RUN,
    judge: closedBooks("kernel"),
  },
  {
    name: "kernel backend, root, CAP_SYS_ADMIN",
    engine: ["--user=0", ...grant("SYS_ADMIN"), ...HOST],
    args: KERNEL_RUN,
    judge: closedBooks("kernel"),
  },
];

/** Engines older than CAP_BPF refuse to start the container; the image cannot help that. */
const UNKNOWN_CAPABILITY = /unknown capability: "(\w+)"/;

/** Runs every check on `image` and prints a line for each. Returns how many failed. */
export function checkImage(engine: Engine, image: string, container: string): number {
  let failed = 0;
  for (const { name, engine: options, entry, args, judge } of CHECKS) {
    const entrypoint = entry === undefined ? [] : ["--entrypoint", entry];
    const fixed = ["run", "--rm", "--name", container, "--network", "none"];
    const result = engine.run([...fixed, ...options, ...entrypoint, image, ...args], {
      timeout_s: 120,
    });
    const unknown = UNKNOWN_CAPABILITY.exec(result.stderr)?.[1];
    if (unknown !== undefined) {
      console.log(`SKIPPED ${name}: this engine does not know ${unknown}`);
      continue;
    }
    try {
      console.log(`ok      ${name}: ${judge(result)}`);
    } catch (error) {
      failed++;
      console.log(`FAILED  ${name}: ${(error as Error).message}`);
    }
  }
  return failed;
}
