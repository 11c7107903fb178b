/** A command's talk with a run in progress. */
import { type ControlClient, findRun } from "./control_client.ts";

/** The option of every command that talks to a run: which one. */
export const SOCKET_OPTION = { socket: { type: "string" } } as const;

/** Connects to the run that `--socket` names, or to the only one, and hangs up in the end. */
export async function withRun<Result>(
  socket: string | boolean | undefined,
  talk: (client: ControlClient) => Promise<Result>,
): Promise<Result> {
  const client = await findRun(typeof socket === "string" ? socket : undefined);
  try {
    return await talk(client);
  } finally {
    client.close();
  }
}
