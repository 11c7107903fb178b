/** The control socket's client side. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { BpfError } from "#core/errors.ts";
import { UsageError } from "../usage_error.ts";
import { LineReader } from "./lines.ts";
import { LINE_BYTES_MAX, responseSchema } from "./protocol.ts";
import { knownSocketPaths } from "./socket_path.ts";

const ANSWER_TIMEOUT_MS = 60_000;

export class ControlClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #id = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    const lines = new LineReader(LINE_BYTES_MAX);
    socket.on("data", (chunk: Buffer) => {
      for (const line of lines.push(chunk)) this.#answer(line);
    });
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("the run ended the connection"));
  }

  /** Asks and waits for the answer. Throws `UsageError` or `BpfError` with the run's own message. */
  async call(method: string, params: unknown = {}): Promise<unknown> {
    this.#id++;
    const id = this.#id;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(id, waiting);
    const late = new BpfError(`call ${method}`, `no answer in ${ANSWER_TIMEOUT_MS / 1000} s`, {
      hint: "see whether the run still makes progress",
    });
    const timer = setTimeout(() => waiting.reject(late), ANSWER_TIMEOUT_MS);
    try {
      this.#socket.write(`${JSON.stringify({ id, method, params })}\n`);
      return await waiting.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #answer(line: string): void {
    const response = responseSchema.parse(JSON.parse(line));
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) return;
    if (!("error" in response)) waiting.resolve(response.result);
    else if (response.error.usage) waiting.reject(new UsageError(response.error.message));
    else waiting.reject(new RemoteError(response.error.message));
  }

  #fail(problem: string): void {
    for (const { reject } of this.#waiting.values()) {
      reject(new BpfError("control socket", problem, { hint: "see how the run ended" }));
    }
  }

  close(): void {
    this.#socket.end();
  }
}

/** The run could not do it; the message is the run's. */
export class RemoteError extends Error {}

/** Connects to the run at `path`. Throws `BpfError`. */
export async function connectControl(path: string): Promise<ControlClient> {
  const socket = createConnection(path);
  try {
    await once(socket, "connect");
  } catch (cause) {
    throw new BpfError(`connect to ${path}`, (cause as Error).message, {
      hint: "check that a run is in progress there",
      cause,
    });
  }
  return new ControlClient(socket);
}

/** Connects to the run at `path`, or without one to the only run there is. */
export async function findRun(path: string | undefined): Promise<ControlClient> {
  if (path !== undefined) return connectControl(path);
  const found: { path: string; client: ControlClient }[] = [];
  for (const candidate of knownSocketPaths()) {
    try {
      found.push({ path: candidate, client: await connectControl(candidate) });
    } catch {
      // Left by a run that died.
    }
  }
  const [only, ...others] = found;
  if (only === undefined) {
    throw new BpfError("control socket", "no run is in progress", {
      hint: "start tapio-bpf run, or give its --socket",
    });
  }
  if (others.length === 0) return only.client;
  for (const { client } of found) client.close();
  const paths = found.map((run) => run.path).join(", ");
  throw new UsageError(`several runs are in progress; give --socket one of ${paths}`);
}
