/** SIGINT and SIGTERM as an end that a command can finish its work at; the second one is final. */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Signals do again what they do by default. */
  stop(): void;
}

export function catchInterrupt(): Interrupt {
  const controller = new AbortController();
  const stop = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onSignal = (): void => {
    stop();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return { signal: controller.signal, stop };
}
