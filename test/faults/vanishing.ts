/** Clients that go in the middle of an upload, a download, events and a WebSocket. */
import { setTimeout as pause } from 'node:timers/promises';
import { RawClient } from '../engine/raw-client.ts';
import { mebibytes, residentMemory } from './process-facts.ts';
import { ask, request, upgrade, withProgram } from './program-process.ts';
import { finding, type Proof } from './proof.ts';

const CLIENTS = 2000;
const AT_ONCE = 200;
const MAX_GROWTH = 64 * 1024 ** 2;

/** What is sent before the client goes: once something was answered, or at once. */
const WAYS: readonly { readonly bytes: string; readonly waits: boolean }[] = [
  { bytes: `POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(50_000)}`, waits: false },
  { bytes: request('/endless'), waits: true },
  { bytes: request('/events'), waits: true },
  // Half a frame follows the handshake.
  { bytes: `${upgrade('news')}\x81\xfe\x10\x00half`, waits: true },
];

export const vanishing: Proof = {
  title: `${WAYS.length} × ${CLIENTS} clients that vanish in uploads, downloads, events and WebSockets, half of them by reset`,
  run: () =>
    withProgram([], true, async (server) => {
      const { port, pid } = server;
      for (const way of WAYS) for (let n = 0; n < 100; n++) await vanish(port, way, n);
      const before = residentMemory(pid);
      for (const way of WAYS) {
        for (let n = 0; n < CLIENTS; n += AT_ONCE) {
          await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => vanish(port, way, n + i)));
        }
      }
      const deadline = performance.now() + 10_000;
      let left = '';
      do {
        await pause(100);
        left = await ask(port, '/open');
      } while (/[1-9]/.test(left) && performance.now() < deadline);
      const grown = residentMemory(pid) - before;
      return [
        finding('handlers, sources and sockets left', left, 'none after 10 s', !/[1-9]/.test(left)),
        finding('memory grown', mebibytes(grown), `≤ ${mebibytes(MAX_GROWTH)}`, grown <= MAX_GROWTH),
        finding('the next request', await ask(port, '/'), 'here', (await ask(port, '/')) === 'here'),
      ];
    }),
};

async function vanish(port: number, { bytes, waits }: (typeof WAYS)[number], n: number): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  if (waits) await client.response();
  if (n % 2 === 0) client.reset();
  else client.close();
}
