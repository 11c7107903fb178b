/** `npm run tapio-bpf -- ...`: the command, from the sources, after setup. */
import { main } from "#cli/main.ts";
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

await runTask(async () => {
  await setup();
  return main(process.argv.slice(2));
});
