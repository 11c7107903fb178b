/** Runs a task; an error becomes one line and exit code 1. */
export async function runTask(
  task: () => Promise<number | undefined> | Promise<void>,
): Promise<void> {
  try {
    process.exitCode = (await task()) ?? 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
