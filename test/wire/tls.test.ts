/** Every wire case over TLS, on both transports: whole, and in random pieces. */
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openSecure } from '../../src/engine/handshake.ts';
import { openTlsTransport } from '../../src/engine/tls-transport.ts';
import { makeSelfSigned } from '../../src/tls/self-signed.ts';
import { vrypt } from '../app.ts';
import { tlsContexts } from '../tls/certificates.ts';
import { casesByOptions, loadCases, type WireCase } from './load-cases.ts';
import { checkCase, SocketClient } from './run-client.ts';

const groups = casesByOptions(loadCases());
const pair = makeSelfSigned();
const { choose } = tlsContexts([pair]);

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
        const secure = openSecure(transport, choose);
        ({ port } = await engine.listen({ address: '127.0.0.1', port: 0, backlog: 128, reusePort: false }, secure));
      });
      afterAll(() => engine.close());

      const client = () => {
        const where = { port, host: '127.0.0.1', servername: 'localhost', ca: pair.cert, allowHalfOpen: true };
        return new SocketClient(connect(where));
      };

      for (const one of cases) {
        test(`${one.document}: ${one.name}`, () => checkCase(client, one));
      }
    });
  }
}
