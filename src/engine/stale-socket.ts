/** What is left of a Unix socket whose server was killed. */
import { lstatSync, unlinkSync } from 'node:fs';

/** How long a server that may be listening on a Unix socket has to accept. */
const PROBE_MS = 2000;

/** Removes the file of a Unix socket on which nobody listens any more: a server that was killed leaves it behind. */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = lstatSync(path, { throwIfNoEntry: false });
  if (file?.isSocket() !== true || (await isListening(path))) return;
  unlinkSync(path);
}

/** A queue that is full, or that this user may not join, is somebody's. */
async function isListening(path: string): Promise<boolean> {
  // Costs 2 MiB and some milliseconds: not for servers that listen on a port.
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.setTimeout(PROBE_MS);
    const settle = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once('connect', settle(true)).once('timeout', settle(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')(),
    );
  });
}
