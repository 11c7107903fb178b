/** Starts a frame at the top of an empty terminal; does nothing where the output goes elsewhere. */
export function clearScreen(): void {
  if (process.stdout.isTTY) process.stdout.write("\x1b[H\x1b[2J");
}
