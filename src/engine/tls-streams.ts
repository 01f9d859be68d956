/** TLS by `node:tls`, over the transport on `node:net`: public interfaces only. */
import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { NetSocket } from './net-transport.ts';
import {
  type ChooseTls,
  FirstReader,
  type HandshakeOwner,
  Handshaking,
  type TlsChoice,
  type TlsTransport,
} from './tls-transport.ts';
import type { SocketOwner, Transport, TransportSocket } from './transport.ts';

/** One connection. */
class SecuredSocket implements NetSocket {
  owner: SocketOwner;
  unwritten = 0;
  readonly plain: Socket;
  /** Becomes the secured one. */
  stream: Socket;

  constructor(plain: Socket, owner: SocketOwner) {
    this.plain = plain;
    this.stream = plain;
    this.owner = owner;
  }
}

export function openTlsOnStreams(base: Transport): TlsTransport {
  return {
    ...base,

    secure(socket: TransportSocket, choose: ChooseTls, owner: HandshakeOwner): TransportSocket {
      const plain = (socket as NetSocket).stream;
      const secured = new SecuredSocket(plain, new Handshaking(owner));
      const wrap = (hello: Buffer, choice: TlsChoice) => start(base, secured, owner, hello, choice);
      base.attach(socket, new FirstReader(socket, choose, owner, wrap));
      return secured;
    },

    attach(socket: TransportSocket, owner: SocketOwner): void {
      // A secured socket has been attached for its handshake.
      if (socket instanceof SecuredSocket) socket.owner = owner;
      else base.attach(socket, owner);
    },

    reset(socket: TransportSocket): void {
      if (socket instanceof SecuredSocket) socket.plain.resetAndDestroy();
      else base.reset(socket);
    },
  };
}

function start(
  base: Transport,
  socket: SecuredSocket,
  owner: HandshakeOwner,
  hello: Buffer,
  { context, protocols }: TlsChoice,
): void {
  const { plain } = socket;
  plain.removeAllListeners('data').removeAllListeners('end').pause();
  plain.unshift(hello);
  const options = { isServer: true, secureContext: context, ALPNProtocols: [...protocols] };
  const stream = new TLSSocket(plain, options);
  socket.stream = stream;
  stream.on('secure', () => {
    // A server of Node's would do so; its HTTP/2 waits for it.
    Object.assign(stream, { secureConnecting: false });
    owner.onSecured(stream.alpnProtocol || null);
  });
  base.attach(socket, socket.owner);
}
