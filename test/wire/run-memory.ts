/**
 * Runs pieces through a real engine and its connections, over a transport that is only memory: what arrives, in which pieces,
 * and when the client takes what was sent, is decided by the test.
 */
import { Buffer } from 'node:buffer';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { type SocketOwner, type Transport, type TransportSocket, WriteResult } from '../../src/engine/transport.ts';
import { vrypt } from '../app.ts';
import type { EndState, ExpectedResponse } from './load-cases.ts';
import type { Part } from './notation.ts';
import { countResponses, readResponses } from './read-responses.ts';
import type { Run } from './run-parser.ts';

const ADDRESS = { address: '127.0.0.1', port: 1, family: 'IPv4' } as const;

/** Larger than what any case sends in one piece, and filled with other bytes between two reads, as a shared buffer is. */
const readBuffer = Buffer.alloc(256 * 1024);

interface MemorySocket extends TransportSocket {
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
  #accept: (socket: TransportSocket) => void = () => {};

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
    const socket: MemorySocket = {
      owner: undefined as unknown as SocketOwner,
      sent: [],
      isPaused: false,
      isEnded: false,
      isDestroyed: false,
      pending: 0,
    };
    this.#accept(socket);
    for (const { afterAnswers, bytes } of parts) {
      if (afterAnswers > 0 && countResponses(Buffer.concat(socket.sent), expected) < afterAnswers) {
        throw new Error(`still no answer number ${afterAnswers}`);
      }
      if (socket.isDestroyed || bytes.length === 0) continue;
      readBuffer.set(bytes);
      socket.owner.onData(readBuffer, bytes.length);
      readBuffer.fill(0xff, 0, bytes.length);
      this.#settle(socket);
    }
    const unfinished = this.#unfinishedEnd(socket, ends);
    return { lines: readResponses(Buffer.concat(socket.sent), expected), end: unfinished };
  }

  close(): void {
    this.#engine.close();
  }

  /** How the connection is left; takes the way of the client that ends, where it says so, and cleans up. */
  #unfinishedEnd(socket: MemorySocket, ends: boolean): EndState {
    if (ends && !socket.isDestroyed) {
      socket.owner.onEnd();
      this.#settle(socket);
    }
    if (socket.isEnded || socket.isDestroyed) {
      if (!socket.isDestroyed) socket.owner.onEnd();
      if (!socket.isDestroyed) throw new Error('both sides have ended, and the connection is still there');
      return 'closed';
    }
    // A client that ends is refused within a request and not between two.
    const before = socket.sent.length;
    socket.owner.onEnd();
    this.#settle(socket);
    const wasWithin = socket.sent.length > before;
    socket.sent.length = before;
    if (!socket.isDestroyed) socket.owner.onEnd();
    return wasWithin ? 'waiting' : 'open';
  }

  /** The client takes what was sent, as long as that makes the engine go on. */
  #settle(socket: MemorySocket): void {
    while (socket.pending > 0 && !socket.isDestroyed) {
      if (!socket.isPaused) throw new Error('a client that does not read is read from');
      socket.pending = 0;
      socket.owner.onWritten();
    }
    if (socket.isPaused && !socket.isDestroyed && !socket.isEnded)
      throw new Error('reading was paused, and never resumed');
  }

  #transport(): Transport {
    const memory = (socket: TransportSocket) => socket as MemorySocket;
    return {
      name: 'handle',
      tryLock: async () => () => {},
      assertFree: async () => {},
      listen: async (_options, onSocket) => {
        this.#accept = onSocket;
        return { address: 'memory', port: 0, drain: async () => {}, close() {} };
      },
      attach(socket, owner) {
        socket.owner = owner;
      },
      pause(socket) {
        memory(socket).isPaused = true;
      },
      resume(socket) {
        memory(socket).isPaused = false;
      },
      write: (socket, bytes) => {
        if (memory(socket).isEnded || memory(socket).isDestroyed) throw new Error('a write after the end');
        memory(socket).sent.push(Buffer.from(bytes));
        if (!this.#isSlow) return WriteResult.done;
        memory(socket).pending = bytes.length;
        return WriteResult.pending;
      },
      pendingBytes: (socket) => memory(socket).pending,
      remoteAddress: () => ADDRESS,
      localAddress: () => ADDRESS,
      end(socket) {
        memory(socket).isEnded = true;
      },
      reset() {},
      destroy(socket) {
        memory(socket).isDestroyed = true;
      },
    };
  }
}
