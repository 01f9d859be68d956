/** A WebSocket server on a real transport. It does the HTTP upgrade itself, so that only src/websocket is tested. */
import type { Listener, SocketOwner, Transport, TransportSocket } from '../../src/engine/transport.ts';
import type { ChannelRelay } from '../../src/websocket/channels.ts';
import type { SocketHandlers } from '../../src/websocket/handlers.ts';
import { chooseProtocol, type HandshakeRequest, handshake } from '../../src/websocket/handshake.ts';
import type { ServerSocket } from '../../src/websocket/socket.ts';
import { WebSockets } from '../../src/websocket/web-sockets.ts';

export interface SocketServer {
  readonly port: number;
  readonly url: string;
  readonly sockets: WebSockets;
  readonly clock: { now: number };
  /** What handlers have thrown. */
  readonly errors: unknown[];
  stop(): void;
}

export interface SocketServerOptions {
  readonly protocols?: readonly string[];
  readonly relay?: ChannelRelay;
  readonly workerName?: string;
  readonly port?: number;
}

/** Sends every message back unchanged. */
export const ECHO: SocketHandlers = {
  message(socket, data) {
    socket.send(data);
  },
};

export async function listenForSockets(
  transport: Transport,
  handlers: SocketHandlers,
  options: SocketServerOptions = {},
): Promise<SocketServer> {
  const { protocols = [], relay = null, workerName = 'only', port: wanted = 0 } = options;
  const clock = { now: 0 };
  const errors: unknown[] = [];
  const sockets = new WebSockets({ transport, clock, report: (error) => errors.push(error), relay, workerName });
  const listener: Listener = await transport.listen(
    { address: '127.0.0.1', port: wanted, backlog: 512, reusePort: false },
    (transportSocket) => {
      transport.attach(transportSocket, new Upgrading(transport, transportSocket, sockets, handlers, protocols));
    },
  );
  const stop = () => {
    sockets.terminateAll();
    listener.close();
  };
  return { port: listener.port, url: `ws://127.0.0.1:${listener.port}/`, sockets, clock, errors, stop };
}

/** Owner of a transportSocket: until the upgrade itself, then on behalf of the socket. */
class Upgrading implements SocketOwner {
  #socket: ServerSocket | null = null;
  #head = Buffer.alloc(0);
  #isRefused = false;
  readonly #transport: Transport;
  readonly #transportSocket: TransportSocket;
  readonly #sockets: WebSockets;
  readonly #handlers: SocketHandlers;
  readonly #protocols: readonly string[];

  constructor(
    transport: Transport,
    transportSocket: TransportSocket,
    sockets: WebSockets,
    handlers: SocketHandlers,
    protocols: readonly string[],
  ) {
    this.#transport = transport;
    this.#transportSocket = transportSocket;
    this.#sockets = sockets;
    this.#handlers = handlers;
    this.#protocols = protocols;
  }

  onData(bytes: Buffer, length: number): void {
    if (this.#socket !== null) {
      this.#socket.onData(bytes, length);
      return;
    }
    if (this.#isRefused) return;
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, length)]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end >= 0) this.#upgrade(this.#head.toString('latin1', 0, end), this.#head.subarray(end + 4));
  }

  onEnd(): void {
    if (this.#socket !== null) this.#socket.onEnd();
    else this.#transport.destroy(this.#transportSocket);
  }

  onFailure(): void {
    if (this.#socket !== null) this.#socket.onFailure();
    else this.#transport.destroy(this.#transportSocket);
  }

  onWritten(): void {
    this.#socket?.onWritten();
  }

  #upgrade(head: string, leftover: Buffer): void {
    const request = requestOf(head);
    const settings = this.#sockets.settingsOf(this.#handlers);
    const protocol = chooseProtocol(request.header('sec-websocket-protocol'), this.#protocols);
    const result = handshake(request, { protocol, deflate: settings.deflate });
    const fields = result.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const reason = result.status === 101 ? 'Switching Protocols' : 'Refused';
    this.#transport.write(this.#transportSocket, Buffer.from(`HTTP/1.1 ${result.status} ${reason}\r\n${fields}\r\n`));
    if (result.status !== 101) {
      this.#isRefused = true;
      this.#transport.end(this.#transportSocket);
      return;
    }
    const session = { protocol: result.protocol, remoteAddress: '127.0.0.1', deflate: result.deflate };
    this.#socket = this.#sockets.accept(this.#transportSocket, settings, session, undefined);
    this.#socket.start(leftover);
  }
}

export function requestOf(head: string): HandshakeRequest {
  const [line = '', ...fields] = head.split('\r\n');
  const [method = '', , version = ''] = line.split(' ');
  const header = (name: string) => {
    const values = fields
      .filter((field) => field.slice(0, field.indexOf(':')).toLowerCase() === name)
      .map((field) => field.slice(field.indexOf(':') + 1).trim());
    return values.length === 0 ? null : values.join(', ');
  };
  return { method, version: version.replace('HTTP/', ''), header };
}
