/** Thousands of WebSockets that get messages, while others read nothing. */

import { ClientProcess } from './client-process.ts';
import type { ListenOrders, ListenReport } from './clients/listen.ts';
import { measureLatency } from './latency.ts';
import { mebibytes, residentMemory } from './process-facts.ts';
import { ask, upgrade, withProgram } from './program-process.ts';
import { finding, milliseconds, type Proof } from './proof.ts';

const READERS = 9_800;
const SLOW = 200;
const MESSAGES = 20;
const BYTES = 1000;
/** To slow readers: more than the kernel takes, and than the limit on what waits. */
const MANY = 200;
const LARGE = 60_000;
/** Slow readers hold messages by reference, and each at most its limit of 1 MiB. */
const MAX_GROWTH = 128 * 1024 ** 2;
const DEADLINE_MS = 60_000;

export const broadcast: Proof = {
  title: `${READERS} WebSockets get ${MESSAGES} messages each, and ${SLOW} others, which read nothing, ${MANY} large ones`,
  run: () =>
    withProgram([], true, async (server) => {
      const { port, pid } = server;
      const base = { port, messages: MESSAGES, bytes: BYTES + 4 };
      const readers = new ClientProcess(
        'listen',
        listeners({ ...base, count: READERS, request: upgrade('all'), isSlow: false }),
      );
      const slow = new ClientProcess(
        'listen',
        listeners({ ...base, count: SLOW, request: upgrade('slow'), isSlow: true }),
      );
      try {
        const opened = (await readers.report<ListenReport>()).open + (await slow.report<ListenReport>()).open;
        const before = residentMemory(pid);
        for (let n = 0; n < MANY; n++) await ask(port, `/publish/slow/${LARGE}`);
        const grown = residentMemory(pid) - before;
        const begin = performance.now();
        for (let n = 0; n < MESSAGES; n++) await ask(port, `/publish/all/${BYTES}`);
        const late = new Promise<ListenReport>((resolve) =>
          setTimeout(resolve, DEADLINE_MS, { open: 0, complete: 0 }).unref(),
        );
        const { complete } = await Promise.race([readers.report<ListenReport>(), late]);
        const took = performance.now() - begin;
        const { p50 } = await measureLatency(port, 2000);
        return [
          finding('WebSockets open', `${opened}`, `${READERS + SLOW}`, opened === READERS + SLOW),
          finding(
            'readers with every message',
            `${complete} of ${READERS}, after ${milliseconds(took)}`,
            `all, ≤ ${milliseconds(DEADLINE_MS)}`,
            complete === READERS,
          ),
          finding('memory grown by slow readers', mebibytes(grown), `≤ ${mebibytes(MAX_GROWTH)}`, grown <= MAX_GROWTH),
          finding('latency of another client, median', milliseconds(p50), '≤ 5 ms', p50 <= 5),
        ];
      } finally {
        await Promise.all([readers.end(), slow.end()]);
      }
    }),
};

function listeners(orders: ListenOrders): ListenOrders {
  return orders;
}
