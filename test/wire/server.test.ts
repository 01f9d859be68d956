/** Every wire case against an engine that listens, on both transports: whole, and in random pieces. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import { openNetTransport } from '../../src/engine/net-transport.ts';
import { vrypt } from '../app.ts';
import { casesByOptions, loadCases, type WireCase } from './load-cases.ts';
import { checkCase } from './run-client.ts';

const groups = casesByOptions(loadCases());

for (const name of ['handle', 'net'] as const) {
  for (const [options, cases] of groups) {
    const title = options === '' ? '' : ` with ${options}`;
    describe.concurrent(`a server on the ${name} transport${title}`, () => {
      let engine: Engine;
      let port = 0;

      beforeAll(async () => {
        const transport = name === 'net' ? openNetTransport() : openHandleTransport();
        if (transport === null) throw new Error('this Node has no stream handles');
        const { limits } = cases[0] as WireCase;
        const report = (error: unknown) => {
          throw error;
        };
        engine = new Engine({ handler: vrypt, limits, transport, counters: createCounters(1), worker: 0, report });
        ({ port } = await engine.listen({ address: '127.0.0.1', port: 0, backlog: 128, reusePort: false }));
      });
      afterAll(() => engine.close());

      for (const one of cases) {
        test(`${one.document}: ${one.name}`, () => checkCase(port, one));
      }
    });
  }
}
