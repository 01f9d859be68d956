/**
 * Runs pieces through a real engine and its connections, over a transport that is only memory: what arrives, in which pieces,
 * and when the client takes what was sent, is decided by the test.
 */
import { Buffer } from 'node:buffer';
import { createCounters, Engine } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { type Link, type LinkOwner, type Transport, WriteResult } from '../../src/engine/transport.ts';
import { vrypt } from '../../src/handlers/vrypt.ts';
import type { EndState, ExpectedResponse } from './load-cases.ts';
import type { Part } from './notation.ts';
import { countResponses, readResponses } from './read-responses.ts';
import type { Run } from './run-parser.ts';

/** Larger than what any case sends in one piece, and filled with other octets between two reads, as a shared buffer is. */
const readBuffer = Buffer.alloc(256 * 1024);

interface MemoryLink extends Link {
  readonly sent: Buffer[];
  isPaused: boolean;
  /** The engine has sent its FIN, or has closed. */
  isEnded: boolean;
  isDestroyed: boolean;
  pending: number;
}

export class MemoryServer {
  readonly #engine: Engine;
  /** Whether every write has to wait for the client. */
  readonly #isSlow: boolean;
  #accept: (link: Link) => void = () => {};

  constructor(limits: EngineLimits, isSlow: boolean) {
    this.#isSlow = isSlow;
    const report = (error: unknown) => {
      throw error;
    };
    this.#engine = new Engine({
      handler: vrypt,
      limits,
      transport: this.#transport(),
      counters: createCounters(1),
      worker: 0,
      report,
    });
    void this.#engine.listen({ address: 'memory', port: 0, backlog: 1, reusePort: false });
  }

  run(parts: readonly Part[], ends: boolean, expected: readonly ExpectedResponse[]): Run {
    const link: MemoryLink = {
      owner: undefined as unknown as LinkOwner,
      sent: [],
      isPaused: false,
      isEnded: false,
      isDestroyed: false,
      pending: 0,
    };
    this.#accept(link);
    for (const { afterAnswers, octets } of parts) {
      if (afterAnswers > 0 && countResponses(Buffer.concat(link.sent), expected) < afterAnswers) {
        throw new Error(`still no answer number ${afterAnswers}`);
      }
      if (link.isDestroyed || octets.length === 0) continue;
      readBuffer.set(octets);
      link.owner.onData(readBuffer, octets.length);
      readBuffer.fill(0xff, 0, octets.length);
      this.#settle(link);
    }
    const unfinished = this.#unfinishedEnd(link, ends);
    return { lines: readResponses(Buffer.concat(link.sent), expected), end: unfinished };
  }

  close(): void {
    this.#engine.close();
  }

  /** How the connection is left; takes the way of the client that ends, where it says so, and cleans up. */
  #unfinishedEnd(link: MemoryLink, ends: boolean): EndState {
    if (ends && !link.isDestroyed) {
      link.owner.onEnd();
      this.#settle(link);
    }
    if (link.isEnded || link.isDestroyed) {
      if (!link.isDestroyed) link.owner.onEnd();
      if (!link.isDestroyed) throw new Error('both sides have ended, and the connection is still there');
      return 'closed';
    }
    // A client that ends is refused within a request and not between two.
    const before = link.sent.length;
    link.owner.onEnd();
    this.#settle(link);
    const wasWithin = link.sent.length > before;
    link.sent.length = before;
    if (!link.isDestroyed) link.owner.onEnd();
    return wasWithin ? 'waiting' : 'open';
  }

  /** The client takes what was sent, as long as that makes the engine go on. */
  #settle(link: MemoryLink): void {
    while (link.pending > 0 && !link.isDestroyed) {
      if (!link.isPaused) throw new Error('a client that does not read is read from');
      link.pending = 0;
      link.owner.onWritten();
    }
    if (link.isPaused && !link.isDestroyed && !link.isEnded) throw new Error('reading was paused, and never resumed');
  }

  #transport(): Transport {
    const memory = (link: Link) => link as MemoryLink;
    return {
      name: 'handle',
      assertFree: async () => {},
      listen: async (_options, onLink) => {
        this.#accept = onLink;
        return { address: 'memory', port: 0, drain: async () => {}, close() {} };
      },
      attach(link, owner) {
        link.owner = owner;
      },
      pause(link) {
        memory(link).isPaused = true;
      },
      resume(link) {
        memory(link).isPaused = false;
      },
      write: (link, octets) => {
        if (memory(link).isEnded || memory(link).isDestroyed) throw new Error('a write after the end');
        memory(link).sent.push(Buffer.from(octets));
        if (!this.#isSlow) return WriteResult.done;
        memory(link).pending = octets.length;
        return WriteResult.pending;
      },
      pendingOctets: (link) => memory(link).pending,
      end(link) {
        memory(link).isEnded = true;
      },
      destroy(link) {
        memory(link).isDestroyed = true;
      },
    };
  }
}
