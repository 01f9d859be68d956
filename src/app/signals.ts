/** SIGTERM and SIGINT, for servers that are asked to handle them. */

/** The process ends by itself after a drain; if something else keeps it alive, it is ended after this. */
const BEFORE_EXIT_MS = 1000;

/** Tells systemd about a server that handles signals, if systemd asks for it. */
export async function notifyOf(ready: Promise<unknown>, stopped: Promise<unknown>): Promise<void> {
  if (process.env['NOTIFY_SOCKET'] === undefined) return;
  const { openNotifier } = await import('../processes/systemd.ts');
  const notifier = openNotifier((why) => process.emitWarning(why));
  if (notifier === null) return;
  try {
    await ready;
  } catch {
    return;
  }
  notifier.ready();
  await stopped;
  notifier.stopping();
  notifier.close();
}

/** The first signal calls `stop`, a second one ends the process at once. */
export function watchSignals(stop: () => Promise<void>): void {
  let isStopping = false;
  const onSignal = () => {
    if (isStopping) process.exit(1);
    isStopping = true;
    void stop().finally(() => {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
      setTimeout(() => process.exit(), BEFORE_EXIT_MS).unref();
    });
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
