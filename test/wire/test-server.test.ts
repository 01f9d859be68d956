/** Every wire case through the library's `test()`: what holds in memory holds over sockets. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { type Limits, type TestConnection, type TestServer, test as testApp } from '../../src/index.ts';
import { vrypt } from '../app.ts';
import { casesByOptions, loadCases, type WireCase } from './load-cases.ts';
import { checkCase, type WireClient } from './run-client.ts';

for (const [options, cases] of casesByOptions(loadCases())) {
  const title = options === '' ? '' : ` with ${options}`;
  describe(`an app under test()${title}`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await testApp({ handle: vrypt }, { limits: limitsOf(cases[0] as WireCase) });
    });
    afterAll(() => server.close());

    for (const one of cases) {
      test(`${one.document}: ${one.name}`, () => checkCase(() => new MemoryClient(server.connect()), one));
    }
  });
}

/** Under the library's names. */
function limitsOf({ limits }: WireCase): Limits {
  const { maxRequestLine, maxHeaderSize, maxHeaderCount, maxBodySize, maxDropped, maxConnections } = limits;
  const maxRequests = Number.isFinite(limits.maxRequests) ? limits.maxRequests : 0;
  const sizes = { maxRequestLine, maxHeaderSize, maxHeaderCount, maxBodySize, maxDropped, maxConnections, maxRequests };
  const { idleTimeoutMs: idleMs, headerTimeoutMs: headerMs, bodyTimeoutMs: bodyMs, sendTimeoutMs: sendMs } = limits;
  return { ...sizes, idleMs, headerMs, bodyMs, sendMs, requestMs: limits.requestTimeoutMs, handlerMs: 0 };
}

class MemoryClient implements WireClient {
  received: Buffer = Buffer.alloc(0);
  readonly #connection: TestConnection;

  constructor(connection: TestConnection) {
    this.#connection = connection;
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached()) {
      const bytes = await this.#connection.read();
      if (bytes.length === 0) return;
      this.received = Buffer.concat([this.received, bytes]);
    }
  }

  ended(): Promise<void> {
    return this.until(() => false);
  }

  async write(bytes: Buffer): Promise<void> {
    this.#connection.write(bytes);
    await turn();
  }

  end(): void {
    this.#connection.end();
  }

  destroy(): void {
    this.#connection.reset();
  }
}
