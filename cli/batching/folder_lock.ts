/**
 * One process at a time in a folder, by an abstract Unix socket named after the folder: the kernel
 * frees it with the process, however that ends. Abstract sockets belong to a network namespace:
 * processes in different ones do not see each other.
 */

import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { BpfError } from "#core/errors.ts";

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/** Rejects with `BpfError` where a process that lives has the folder. The lock does not keep Node running. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(folder, { bigint: true });
  const server = createServer((connection) => connection.destroy());
  try {
    await listen(server, `\0tapio-bpf-log-${dev}-${ino}`);
  } catch (cause) {
    throw new BpfError(`open log ${folder}`, "another process uses it", {
      hint: "stop that process, or give this one a folder of its own (log.path)",
      cause,
    });
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}
