/** From a request to a WebSocket: the handshake's answer, and the connection's new owner. Owns this worker's WebSockets. */
import { type HandedOver, HandOverReply, type NewOwner } from '../engine/hand-over.ts';
import { pairsOf, renderFields } from '../http/fields.ts';
import { MadeReply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import { CloseCode } from '../websocket/close-codes.ts';
import type { SocketHandlers } from '../websocket/handlers.ts';
import { handshake } from '../websocket/handshake.ts';
import type { ServerSocket } from '../websocket/socket.ts';
import { WebSockets } from '../websocket/web-sockets.ts';
import type { AcceptOptions, Call } from './app.ts';

/** WebSockets whose connections an engine counts. */
export class EngineSockets extends WebSockets {
  readonly #connections = new Map<unknown, SocketConnection>();

  add(socket: ServerSocket, connection: SocketConnection): void {
    this.#connections.set(socket, connection);
  }

  override remove(socket: Parameters<WebSockets['remove']>[0]): void {
    super.remove(socket);
    const connection = this.#connections.get(socket);
    this.#connections.delete(socket);
    connection?.forget();
  }
}

export class Upgrades {
  readonly sockets: EngineSockets;

  constructor(sockets: EngineSockets) {
    this.sockets = sockets;
  }

  /** 101, or the refusal of an invalid handshake. Throws a RangeError for options that are not valid. */
  accept<D>(call: Call, handlers: SocketHandlers<D>, data: D, { protocol, fields = {} }: AcceptOptions): Reply {
    const settings = this.sockets.settingsOf(handlers);
    const result = handshake(call, { protocol, deflate: settings.deflate });
    if (result.status !== 101) {
      // Connection and Upgrade are a server's own to send, as here.
      const lines = result.fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      return new MadeReply(result.status, `Content-Type: text/plain\r\n${lines}`, `${result.reason}\n`);
    }
    // Checked like those of any other answer.
    renderFields(fields);
    const own = result.fields.filter(([name]) => name !== 'Connection');
    const session = { protocol: result.protocol, remoteAddress: call.remote.address, deflate: result.deflate };
    return new HandOverReply([...own, ...pairsOf(fields)], (handed) => {
      const socket = this.sockets.accept(handed.socket, settings, session, data);
      const connection = new SocketConnection(handed, socket as ServerSocket);
      this.sockets.add(socket as ServerSocket, connection);
      return connection;
    });
  }
}

/** The engine's side of a WebSocket; the socket itself owns the connection. */
class SocketConnection implements NewOwner {
  index = 0;
  /** Always due: the socket has deadlines of its own. */
  readonly deadline = 0;
  readonly #handed: HandedOver;
  readonly #socket: ServerSocket;

  constructor(handed: HandedOver, socket: ServerSocket) {
    this.#handed = handed;
    this.#socket = socket;
  }

  begin(leftover: Buffer): void {
    this.#handed.socket.owner = this.#socket;
    this.#socket.start(leftover);
  }

  forget(): void {
    this.#handed.forget(this);
  }

  onDeadline(): void {
    this.#socket.onTick(this.#handed.now());
  }

  onDrain(): void {
    this.#socket.close(CloseCode.goingAway, '');
  }

  close(): void {
    this.#socket.terminate();
  }

  onData(bytes: Buffer, length: number): void {
    this.#socket.onData(bytes, length);
  }

  onEnd(): void {
    this.#socket.onEnd();
  }

  onFailure(): void {
    this.#socket.onFailure();
  }

  onWritten(): void {
    this.#socket.onWritten();
  }
}
