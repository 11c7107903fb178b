/** `npm run setup`: makes the clone ready and says nothing when it is. */
import { runTask } from "../run_task.ts";
import { setup } from "../setup.ts";

await runTask(setup);
