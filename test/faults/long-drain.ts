/** SIGTERM while events, WebSockets and long downloads are open. */
import { once } from 'node:events';
import { RawClient } from '../engine/raw-client.ts';
import { request, upgrade, withProgram } from './program-process.ts';
import { finding, milliseconds, type Proof, sleep } from './proof.ts';

const EACH = 100;
/** The program's, and a second for the end. */
const DRAIN_MS = 5000;
const LONG_BYTES = 20 * 16 * 1024;
/** 1001 as the payload of a close frame begins with it (RFC 6455 §5.5.1, §7.4.1). */
const GOING_AWAY = '\x03\xe9';
const LAST_CHUNK = '\r\n0\r\n\r\n';

export const longDrain: Proof = {
  title: `SIGTERM while ${EACH} readers of events, ${EACH} WebSockets, ${EACH} downloads of two seconds and one endless one are open`,
  run: () =>
    withProgram([], true, async (server) => {
      const { port } = server;
      const events = await openAll(port, request('/events'));
      const sockets = await openAll(port, upgrade('all'));
      const downloads = await openAll(port, request('/long'));
      const endless = (await openAll(port, request('/endless'), 1))[0] as RawClient;
      // Gigabytes that are kept would stop this process for seconds: the end of them tells.
      let last = '';
      endless.socket.removeAllListeners('data').on('data', (bytes) => {
        last = bytes.toString('latin1', bytes.length - LAST_CHUNK.length);
      });
      await sleep(300);
      const begin = performance.now();
      const ended = server.stop();
      const closes = sockets.map(async (client) => {
        const [frame] = (await once(client.socket, 'data')) as [Buffer];
        // As browsers do: the close frame is answered, masked.
        client.send('\x88\x82\0\0\0\0\x03\xe9').endSending();
        return frame[0] === 0x88 && frame.toString('latin1', 2, 4) === GOING_AWAY;
      });
      const eventEnds = await Promise.all(events.map((client) => client.end()));
      const eventsTook = performance.now() - begin;
      const goneAway = (await Promise.all(closes)).filter(Boolean).length;
      const lengths = await Promise.all(downloads.map(async (client) => (await client.end()).length));
      await endless.end();
      const { stdout } = await ended;
      const took = Number(/ended after (\d+) ms/.exec(stdout)?.[1]);
      const wholeEvents = eventEnds.filter((text) => text.endsWith(LAST_CHUNK)).length;
      const whole = lengths.filter((length) => length === LONG_BYTES).length;
      const isCut = last !== LAST_CHUNK;
      return [
        finding(
          'events ended with their last chunk',
          `${wholeEvents} of ${EACH}, after ${milliseconds(eventsTook)}`,
          'all, ≤ 1000 ms',
          wholeEvents === EACH && eventsTook <= 1000,
        ),
        finding('WebSockets closed with 1001', `${goneAway} of ${EACH}`, 'all', goneAway === EACH),
        finding('downloads that arrived whole', `${whole} of ${EACH}`, 'all', whole === EACH),
        finding('the endless one', isCut ? 'cut off' : 'looks complete', 'cut off', isCut),
        finding(
          'until the exit, by its own clock',
          milliseconds(took),
          `≤ ${DRAIN_MS + 1000} ms`,
          took <= DRAIN_MS + 1000,
        ),
      ];
    }),
};

/** Each has got the head of its answer. */
async function openAll(port: number, bytes: string, count = EACH): Promise<RawClient[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await RawClient.connect(port);
      client.send(bytes);
      // Without the content: it goes on.
      await client.response(true);
      return client;
    }),
  );
}
