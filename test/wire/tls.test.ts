/** Every wire case over TLS, on both transports: whole, and in random pieces. */
import { readFileSync } from 'node:fs';
import { connect, createSecureContext } from 'node:tls';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openSecure } from '../../src/engine/handshake.ts';
import { openTlsTransport } from '../../src/engine/tls-transport.ts';
import { vrypt } from '../app.ts';
import { casesByOptions, loadCases, type WireCase } from './load-cases.ts';
import { type Connect, checkCase } from './run-socket.ts';

const groups = casesByOptions(loadCases());
const cert = readFileSync('/tmp/tls-x/c.pem');
const context = createSecureContext({ cert, key: readFileSync('/tmp/tls-x/k.pem') });
const open: Connect = (port) =>
  connect({ port, host: '127.0.0.1', servername: 'localhost', ca: cert, allowHalfOpen: true });

for (const name of ['handle', 'net'] as const) {
  for (const [options, cases] of groups) {
    const title = options === '' ? '' : ` with ${options}`;
    describe.concurrent(`a server on TLS over the ${name} transport${title}`, () => {
      let engine: Engine;
      let port = 0;

      beforeAll(async () => {
        const transport = await openTlsTransport(name);
        const { limits } = cases[0] as WireCase;
        const report = (error: unknown) => {
          throw error;
        };
        engine = new Engine({ handler: vrypt, limits, transport, counters: createCounters(1), worker: 0, report });
        const secure = openSecure(transport, () => ({ context, protocols: ['http/1.1'] }));
        ({ port } = await engine.listen({ address: '127.0.0.1', port: 0, backlog: 128, reusePort: false }, secure));
      });
      afterAll(() => engine.close());

      for (const one of cases) {
        test(`${one.document}: ${one.name}`, () => checkCase(port, one, open));
      }
    });
  }
}
