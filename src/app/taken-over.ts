/** A connection that a program has taken over: a Duplex of Node over the engine's socket, for `ws`, socket.io, or one's own. */
import { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import type { Address } from '../engine/address.ts';
import { type HandedOver, HandOverReply, type NewOwner } from '../engine/hand-over.ts';
import { WriteResult } from '../engine/transport.ts';
import type { Fields } from '../http/fields.ts';
import type { Call, TakenOverStream } from './app.ts';

type Use = (stream: TakenOverStream, head: Uint8Array) => void;

export function takeOver(call: Call, fields: Fields, use: Use): HandOverReply {
  const { remote } = call;
  return new HandOverReply(fields, (handed) => new TakenOverConnection(handed, remote, use));
}

/** Owns the socket: destroyed with the stream. */
class TakenOverConnection implements NewOwner {
  index = 0;
  /** Its program has its own idea of time. */
  readonly deadline = Number.POSITIVE_INFINITY;
  readonly #handed: HandedOver;
  readonly #use: Use;
  readonly #stream: Duplex;
  #isPaused = false;
  #isClosed = false;
  /** Called when the kernel has taken what was written last. */
  #whenWritten: ((error?: Error | null) => void) | null = null;

  constructor(handed: HandedOver, remote: Address, use: Use) {
    this.#handed = handed;
    this.#use = use;
    this.#stream = new Duplex({
      allowHalfOpen: true,
      read: () => this.#resume(),
      write: (chunk: Buffer, _encoding, done) => this.#write(chunk, done),
      writev: (chunks, done) => this.#write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done),
      final: (done) => {
        if (!this.#isClosed) handed.transport.end(handed.socket);
        done();
      },
      destroy: (error, done) => {
        this.#end();
        done(error);
      },
    });
    // A client that goes away must not end the process of a program that does not listen.
    this.#stream.on('error', ignore);
    const { address, port, family } = remote;
    Object.assign(this.#stream, { remoteAddress: address, remotePort: port, remoteFamily: family });
  }

  begin(leftover: Buffer): void {
    try {
      this.#use(this.#stream as TakenOverStream, leftover);
    } catch (error) {
      this.#handed.report(error);
      this.#stream.destroy();
    }
  }

  onData(bytes: Buffer, length: number): void {
    // The read buffer belongs to all connections.
    const copy = Buffer.from(bytes.subarray(0, length));
    if (this.#stream.push(copy) || this.#isPaused || this.#isClosed) return;
    this.#isPaused = true;
    this.#handed.transport.pause(this.#handed.socket);
  }

  onEnd(): void {
    this.#stream.push(null);
  }

  onFailure(): void {
    this.#stream.destroy(new Error('the client is gone'));
  }

  onWritten(): void {
    const done = this.#whenWritten;
    this.#whenWritten = null;
    done?.(this.#isClosed ? new Error('the client is gone') : null);
  }

  onDeadline(): void {}

  /** Nothing that every protocol understands could be said; the end of the drain cuts it off. */
  onDrain(): void {}

  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  #write(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.#isClosed) {
      done(new Error('the client is gone'));
      return;
    }
    const { transport, socket } = this.#handed;
    switch (transport.write(socket, bytes)) {
      case WriteResult.done:
        done();
        break;
      case WriteResult.pending:
        this.#whenWritten = done;
        break;
      default:
        done(new Error('the client is gone'));
    }
  }

  #resume(): void {
    if (!this.#isPaused || this.#isClosed) return;
    this.#isPaused = false;
    this.#handed.transport.resume(this.#handed.socket);
  }

  #end(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handed.transport.destroy(this.#handed.socket);
    this.#handed.forget(this);
  }
}

function ignore(): void {}
