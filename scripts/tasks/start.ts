/** `npm start`: the collectors over the sample recording, ending in a report whose books balance. */
import { main } from "#cli/main.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

const SAMPLE = "samples/web-loss.trace";

await runTask(async () => {
  await setup();
  const rest = process.argv.slice(2);
  return main(["run", "--trace", SAMPLE, "--collector", "tcp,syscall", ...rest]);
});
