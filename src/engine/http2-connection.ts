/**
 * One client that speaks HTTP/2 (RFC 9113), by Node's implementation on nghttp2, which is loaded with the first such client. Its
 * requests get to the same handlers as those of HTTP/1. Owns the session, which owns the socket.
 */

import type { Buffer } from 'node:buffer';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { RequestParser } from '../http/request-parser.ts';
import type { Address } from './address.ts';
import type { ConnectionHost } from './connection-host.ts';
import { Http2Exchange } from './http2-exchange.ts';
import type { Http2Request, StreamOwner } from './http2-request.ts';
import { LINGER_QUIET_MS } from './limits.ts';
import type { LiveConnection, OpenHttp2 } from './live-connection.ts';
import type { PeerCredentials } from './native-binding.ts';
import type { RequestStream } from './request-stream.ts';
import type { TransportSocket } from './transport.ts';

/** What a client may cost beyond the limits that all protocols share. */
const MAX_STREAMS = 100;
/** Streams that a client may reset at once, and then per second; beyond it, the connection ends (CVE-2023-44487). */
const RESET_BURST = 200;
const RESETS_PER_SECOND = 33;
const MAX_INVALID_FRAMES = 50;
const MAX_SETTINGS = 32;
/** Megabytes, for all that a session holds. */
const MAX_MEMORY_MB = 8;
/** Content that a client may send before somebody wants it. */
const WINDOW_SIZE = 256 * 1024;
/** Fields that are no fields of HTTP/1: method, scheme, authority, path. */
const PSEUDO_FIELDS = 4;

export const openHttp2: OpenHttp2 = (host, socket, leftover) => new Http2Connection(host, socket, leftover);

class Http2Connection implements LiveConnection, StreamOwner {
  index = 0;
  /** While there are streams it is always due: they have deadlines of their own. */
  deadline = 0;
  readonly version = '2';
  readonly host: ConnectionHost;
  readonly parser: RequestParser;
  readonly remote: Address;
  readonly #socket: TransportSocket;
  readonly local: Address;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<Http2Request>();
  #requestCount = 0;
  #isClosing = false;
  #isClosed = false;

  /** `leftover` has arrived already. */
  constructor(host: ConnectionHost, socket: TransportSocket, leftover: Buffer | null) {
    const { limits, transport } = host;
    this.host = host;
    this.parser = new RequestParser(limits);
    this.#socket = socket;
    this.remote = transport.remoteAddress(socket);
    this.local = transport.localAddress(socket);
    this.deadline = host.idleDeadline;
    const { http2, net } = nodeModules();
    const stream = transport.toNodeSocket(socket, net);
    if (leftover !== null && leftover.length > 0) stream.unshift(leftover);
    this.#session = http2.performServerHandshake(stream, {
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        maxHeaderListSize: limits.maxHeaderSize,
        initialWindowSize: WINDOW_SIZE,
        enablePush: false,
      },
      maxHeaderListPairs: limits.maxHeaderCount + PSEUDO_FIELDS,
      maxSessionMemory: MAX_MEMORY_MB,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      maxSettings: MAX_SETTINGS,
      streamResetBurst: RESET_BURST,
      streamResetRate: RESETS_PER_SECOND,
    } as object);
    const session = this.#session;
    session.on('stream', (one: ServerHttp2Stream, _fields: unknown, _flags: unknown, raw: unknown) =>
      this.#onStream(one, raw as readonly string[]),
    );
    // The client's faults; its end follows.
    session.on('error', ignore);
    session.once('close', () => this.#onClose());
  }

  onDeadline(): void {
    const { now } = this.host.clock;
    for (const stream of this.#streams) if (stream.deadline <= now) stream.onDeadline();
    if (this.#streams.size > 0) return;
    if (this.#isClosing) {
      this.#session.destroy();
      return;
    }
    if (this.deadline <= now) this.#closeSoon();
  }

  /** Streams that are open are answered. */
  onDrain(): void {
    this.#closeSoon();
  }

  close(): void {
    this.#session.destroy();
    this.#onClose();
  }

  get peer(): PeerCredentials | null {
    return this.host.transport.peerCredentials(this.#socket);
  }

  forget(stream: Http2Request): void {
    if (!this.#streams.delete(stream)) return;
    this.host.countRequest(-1);
    if (this.#streams.size > 0) return;
    this.deadline = this.#isClosing ? this.host.clock.now + LINGER_QUIET_MS : this.host.idleDeadline;
    if (this.host.isClosing) this.#closeSoon();
  }

  #onStream(one: ServerHttp2Stream, fields: readonly string[]): void {
    this.deadline = 0;
    const stream = new Http2Exchange(this, one as unknown as RequestStream, fields);
    this.#streams.add(stream);
    this.host.countRequest(1);
    if (++this.#requestCount >= this.host.limits.maxRequests) this.#closeSoon();
    stream.begin();
  }

  /** GOAWAY; the session ends with its last stream. */
  #closeSoon(): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#isClosing = true;
    if (this.#streams.size === 0) this.deadline = this.host.clock.now + LINGER_QUIET_MS;
    this.#session.close();
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.host.forget(this);
  }
}

interface NodeModules {
  readonly http2: typeof import('node:http2');
  readonly net: typeof import('node:net');
}

let loaded: NodeModules | null = null;

/** They cost 10 ms and 11 MB. In one turn, because the client's next bytes may come in the same one. */
function nodeModules(): NodeModules {
  loaded ??= { http2: process.getBuiltinModule('node:http2'), net: process.getBuiltinModule('node:net') };
  return loaded;
}

function ignore(): void {}
