/**
 * A connection during its TLS handshake; afterwards one of the agreed protocol takes its place. Owns the socket until then. It
 * must be over within the time that a head may take.
 */
import { Connection } from './connection.ts';
import type { ConnectionHost } from './connection-host.ts';
import type { OpenConnection, OpenedConnection } from './live-connection.ts';
import type { ChooseTls, HandshakeOwner, TlsTransport } from './tls-transport.ts';
import type { TransportSocket } from './transport.ts';

/** Connections of a listener that speaks TLS; `transport` is the engine's. */
export function openSecure(transport: TlsTransport, choose: ChooseTls): OpenConnection {
  return (host, socket) => {
    const handshake = new Handshake(host, transport);
    handshake.begin(socket, choose);
    return handshake;
  };
}

class Handshake implements OpenedConnection, HandshakeOwner {
  index = 0;
  deadline: number;
  readonly #host: ConnectionHost;
  readonly #transport: TlsTransport;
  /** Set by `begin`. */
  #socket: TransportSocket | null = null;
  #isOver = false;

  constructor(host: ConnectionHost, transport: TlsTransport) {
    this.#host = host;
    this.#transport = transport;
    this.deadline = host.clock.now + host.limits.headerTimeoutMs;
  }

  begin(socket: TransportSocket, choose: ChooseTls): void {
    this.#socket = this.#transport.secure(socket, choose, this);
  }

  onSecured(protocol: string | null): void {
    const socket = this.#socket as TransportSocket;
    const host = this.#host;
    this.#isOver = true;
    if (protocol === 'h2' && host.openHttp2 !== null) {
      host.replace(this, host.openHttp2(host, socket, null));
      return;
    }
    const next = new Connection(host, socket);
    host.replace(this, next);
    this.#transport.attach(socket, next);
  }

  onPlain(plain: TransportSocket): void {
    this.#isOver = true;
    const next = new Connection(this.#host, plain);
    this.#host.replace(this, next);
    plain.owner = next;
    next.refuse('tlsRequired');
  }

  onHandshakeFailure(): void {
    this.close();
  }

  onDeadline(): void {
    this.close();
  }

  onDrain(idleDeadline: number): void {
    this.deadline = Math.min(this.deadline, idleDeadline);
  }

  /** An answer would take a handshake first. */
  refuse(): void {
    this.close();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#transport.destroy(this.#socket as TransportSocket);
    this.#host.forget(this);
  }
}
