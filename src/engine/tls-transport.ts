/**
 * TLS over another transport: which certificate and protocols a client gets is decided by what it says first, then OpenSSL is put
 * on its socket: on stream handles (`tls-handles.ts`) or by `node:tls` (`tls-streams.ts`). Loaded only when TLS is asked for.
 */
import { Buffer } from 'node:buffer';
import type { SecureContext } from 'node:tls';
import { type ClientHello, FirstBytes, firstBytesAre, readClientHello } from './client-hello.ts';
import {
  openTransport,
  type SocketOwner,
  type Transport,
  type TransportName,
  type TransportSocket,
} from './transport.ts';

/** What a client gets. */
export interface TlsChoice {
  readonly context: SecureContext;
  /** For ALPN: the first that the client offers too; one that offers only others is refused (RFC 7301 §3.2). */
  readonly protocols: readonly string[];
}

export type ChooseTls = (hello: ClientHello) => TlsChoice;

/** Is told how a handshake ends: by one of these, unless the socket is destroyed before. */
export interface HandshakeOwner {
  /** Its socket can be attached, now. `protocol`: as agreed by ALPN, or null. */
  onSecured(protocol: string | null): void;
  /** The client speaks HTTP without TLS. Nothing else will use the socket, which is being read: `plain.owner` must be set. */
  onPlain(plain: TransportSocket): void;
  /** There will be no connection. The socket must be destroyed. */
  onHandshakeFailure(): void;
}

export interface TlsTransport extends Transport {
  /** Starts the handshake on a socket that is not attached. Sockets that are never secured stay plain. */
  secure(socket: TransportSocket, choose: ChooseTls, owner: HandshakeOwner): TransportSocket;
}

/** Over the transport of that name, or over what serves instead of it. */
export async function openTlsTransport(name: TransportName): Promise<TlsTransport> {
  const base = await openTransport(name);
  if (base.name === 'handle') {
    const { openTlsOnHandles } = await import('./tls-handles.ts');
    const fast = openTlsOnHandles(base);
    return fast ?? openTlsTransport('net');
  }
  const { openTlsOnStreams } = await import('./tls-streams.ts');
  return openTlsOnStreams(base);
}

/** Reads the first bytes of a connection, and decides. Owns them until then. */
export class FirstReader implements SocketOwner {
  readonly #plain: TransportSocket;
  readonly #choose: ChooseTls;
  readonly #owner: HandshakeOwner;
  readonly #wrap: (hello: Buffer, choice: TlsChoice) => void;
  #bytes: Buffer | null = null;

  /** `wrap` puts OpenSSL on the socket, and gives it what has been read. */
  constructor(
    plain: TransportSocket,
    choose: ChooseTls,
    owner: HandshakeOwner,
    wrap: (hello: Buffer, choice: TlsChoice) => void,
  ) {
    this.#plain = plain;
    this.#choose = choose;
    this.#owner = owner;
    this.#wrap = wrap;
  }

  onData(bytes: Buffer, length: number): void {
    const arrived = bytes.subarray(0, length);
    const all = this.#bytes === null ? arrived : Buffer.concat([this.#bytes, arrived]);
    switch (firstBytesAre(all)) {
      case FirstBytes.needMore:
        this.#bytes = all === arrived ? Buffer.from(arrived) : all;
        return;
      case FirstBytes.plain:
        this.#owner.onPlain(this.#plain);
        return;
      default:
        this.#bytes = null;
        this.#wrap(all, this.#choose(readClientHello(all)));
    }
  }

  onEnd(): void {
    this.#owner.onHandshakeFailure();
  }

  onFailure(): void {
    this.#owner.onHandshakeFailure();
  }

  onWritten(): void {}
}

/** The owner of a socket during its handshake. */
export class Handshaking implements SocketOwner {
  readonly #owner: HandshakeOwner;

  constructor(owner: HandshakeOwner) {
    this.#owner = owner;
  }

  onSecured(protocol: string | null): void {
    this.#owner.onSecured(protocol);
  }

  onData(): void {
    throw new Error('a secured socket must be attached in onSecured');
  }

  onEnd(): void {
    this.#owner.onHandshakeFailure();
  }

  onFailure(): void {
    this.#owner.onHandshakeFailure();
  }

  onWritten(): void {}
}
