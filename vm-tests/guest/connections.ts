/** TCP connections over loopback, for collectors to see. */
import { once } from "node:events";
import { type AddressInfo, connect, type Server } from "node:net";

/** Starts listening at an address of this machine; returns the port. */
export async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Connects and reads to the end, or is refused. */
export async function connectOnce(port: number, host: string): Promise<void> {
  const socket = connect(port, host);
  socket.on("error", () => {});
  socket.resume();
  // `once` would take the error for its own.
  await new Promise((resolve) => socket.on("close", resolve));
}
