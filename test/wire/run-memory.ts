/**
 * Runs pieces through a real engine and its connections, over a transport that is only memory: what arrives, in which pieces,
 * and when the client takes what was sent, is decided by the test.
 */
import { Buffer } from 'node:buffer';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { type MemoryConnection, MemoryTransport } from '../../src/engine/memory-transport.ts';
import { vrypt } from '../app.ts';
import type { EndState, ExpectedResponse } from './load-cases.ts';
import type { Part } from './notation.ts';
import { countResponses, readResponses } from './read-responses.ts';
import type { Run } from './run-parser.ts';

export class MemoryServer {
  readonly #engine: Engine;
  readonly #transport = new MemoryTransport();
  /** Whether every write has to wait for the client. */
  readonly #isSlow: boolean;

  constructor(limits: EngineLimits, isSlow: boolean) {
    this.#isSlow = isSlow;
    const report = (error: unknown) => {
      throw error;
    };
    this.#engine = new Engine({
      handler: vrypt,
      limits,
      transport: this.#transport,
      counters: createCounters(1),
      worker: 0,
      report,
    });
    void this.#engine.listen({ address: 'memory', port: 0, backlog: 1, reusePort: false });
  }

  run(parts: readonly Part[], ends: boolean, expected: readonly ExpectedResponse[]): Run {
    const client = this.#transport.connect();
    if (this.#isSlow) client.pause();
    for (const { afterAnswers, bytes } of parts) {
      if (afterAnswers > 0 && countResponses(Buffer.concat(client.received), expected) < afterAnswers) {
        throw new Error(`still no answer number ${afterAnswers}`);
      }
      if (client.isDestroyed || bytes.length === 0) continue;
      client.write(bytes);
      settle(client);
    }
    const end = endStateOf(client, ends);
    return { lines: readResponses(Buffer.concat(client.received), expected), end };
  }

  close(): void {
    this.#engine.close();
  }
}

/** How the connection is left; takes the way of the client that ends, where it says so, and cleans up. */
function endStateOf(client: MemoryConnection, ends: boolean): EndState {
  if (ends && !client.isDestroyed) {
    client.end();
    settle(client);
  }
  if (client.isEnded) {
    client.end();
    if (!client.isDestroyed) client.owner.onEnd();
    if (!client.isDestroyed) throw new Error('both sides have ended, and the connection is still there');
    return 'closed';
  }
  // A client that ends is refused within a request and not between two.
  const before = client.received.length;
  client.owner.onEnd();
  settle(client);
  const wasWithin = client.received.length > before;
  client.received.length = before;
  if (!client.isDestroyed) client.owner.onEnd();
  return wasWithin ? 'waiting' : 'open';
}

/** The client takes what was sent, as long as that makes the engine go on. */
function settle(client: MemoryConnection): void {
  while (client.pendingBytes > 0 && !client.isDestroyed) {
    if (!client.isServerPaused) throw new Error('a client that does not read is read from');
    client.take();
  }
  if (client.isServerPaused && !client.isEnded) throw new Error('reading was paused, and never resumed');
}
