/** The control socket's server side: takes requests, checks them, has them carried out one by one. */
import { chmodSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { z } from "zod";
import { BpfError } from "#core/errors.ts";
import { UsageError } from "../usage_error.ts";
import { connectControl } from "./control_client.ts";
import { LineReader } from "./lines.ts";
import type { ControlHost } from "./method.ts";
import { CONTROL_METHODS } from "./methods/index.ts";
import { LINE_BYTES_MAX, type Request, type Response, requestSchema } from "./protocol.ts";
import { SOCKET_PATH_BYTES_MAX } from "./socket_path.ts";

const CONNECTIONS_MAX = 64;

export class ControlServer {
  readonly path: string;
  readonly #host: ControlHost;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Requests are carried out one after the other, whichever connection they came over. */
  #work: Promise<void> = Promise.resolve();

  private constructor(path: string, host: ControlHost) {
    this.path = path;
    this.#host = host;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Listens at `path`, mode 0600. Throws `BpfError` where another run listens there. */
  static async listen(path: string, host: ControlHost): Promise<ControlServer> {
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
      throw new BpfError(`listen at ${path}`, "the path is too long for a socket", {
        hint: `give --socket a path of at most ${SOCKET_PATH_BYTES_MAX} bytes`,
      });
    }
    await removeStale(path);
    const server = new ControlServer(path, host);
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.#server.once("error", reject);
        server.#server.listen(path, resolve);
      });
      chmodSync(path, 0o600);
    } catch (cause) {
      throw new BpfError(`listen at ${path}`, (cause as Error).message, {
        hint: `check that ${dirname(path)} exists and is writable, or give --socket PATH`,
        cause,
      });
    } finally {
      process.umask(mask);
    }
    return server;
  }

  #accept(socket: Socket): void {
    const lines = new LineReader(LINE_BYTES_MAX);
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A client that went away needs no answer.
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) this.#enqueue(socket, line);
      } catch (error) {
        const message = (error as Error).message;
        send(socket, { id: 0, error: { message, usage: true } });
        socket.destroySoon();
      }
    });
  }

  #enqueue(socket: Socket, line: string): void {
    this.#work = this.#work.then(async () => {
      const response = await this.#answer(line);
      if (socket.writable) send(socket, response);
    });
  }

  async #answer(line: string): Promise<Response> {
    let request: Request;
    try {
      request = requestSchema.parse(JSON.parse(line));
    } catch {
      const message = "control socket: the line is no request; send {id, method, params}";
      return { id: 0, error: { message, usage: true } };
    }
    try {
      return { id: request.id, result: (await this.#carryOut(request)) ?? null };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { id: request.id, error: { message, usage: error instanceof UsageError } };
    }
  }

  async #carryOut({ method: name, params }: Request): Promise<unknown> {
    const method = CONTROL_METHODS.get(name);
    if (method === undefined) {
      throw new UsageError(`${name}: this run knows no such method; use a client of its version`);
    }
    const checked = method.params.safeParse(params);
    if (!checked.success) throw new UsageError(`${name}: ${z.prettifyError(checked.error)}`);
    return method.handle(this.#host, checked.data);
  }

  /** Answers what was asked, then ends every connection and removes the socket. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await this.#work;
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }
}

function send(socket: Socket, response: Response): void {
  socket.write(`${JSON.stringify(response)}\n`);
}

/** A socket that nobody answers at was left by a process that died. */
async function removeStale(path: string): Promise<void> {
  try {
    const client = await connectControl(path);
    client.close();
  } catch (error) {
    const { code } = (error as { cause?: NodeJS.ErrnoException }).cause ?? {};
    if (code === "ECONNREFUSED") unlinkSync(path);
    return;
  }
  throw new BpfError(`listen at ${path}`, "another run listens there", {
    hint: "give --socket another path",
  });
}
