/** The transport on public interfaces of `node:net` only: slower, but works without Node's internals. */
import { Buffer } from 'node:buffer';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { QUIET_TURNS, untilQuiet } from './accept-queue.ts';
import { type Address, addressOf, type PeerCredentials } from './address.ts';
import {
  type Listener,
  type ListenOptions,
  refusePeerCredentials,
  type SocketOwner,
  type Transport,
  type TransportSocket,
  WriteResult,
  type WriteResultValue,
} from './transport.ts';

export interface NetSocket extends TransportSocket {
  readonly stream: Socket;
  /** Bytes of the current write that have not been given to the stream yet. */
  unwritten: number;
}

/** Bytes given to the stream at once. */
const PIECE = 64 * 1024;

/**
 * A stream that is being connected, as a socket of this transport. `event` tells that it is; errors before it are passed on by
 * their code, later ones go to the owner.
 */
export function socketOf(
  stream: Socket,
  event: 'connect' | 'secureConnect',
  onConnected: (code: string | null) => void,
): TransportSocket {
  const onError = (error: NodeJS.ErrnoException) => {
    stream.off(event, onReady);
    onConnected(error.code ?? error.message);
  };
  const onReady = () => {
    stream.off('error', onError);
    onConnected(null);
  };
  stream.on('error', ignore);
  stream.once('error', onError);
  stream.once(event, onReady);
  return { stream, unwritten: 0 } as unknown as NetSocket;
}

export function openNetTransport(): Transport {
  return {
    name: 'net',

    async assertFree(address: string, port: number): Promise<void> {
      // Nothing public binds without listening: clients that connect in this moment are reset.
      const options = { address, port, backlog: 1, reusePort: false };
      const listener = await this.listen(options, (socket) => this.destroy(socket));
      listener.close();
    },

    tryLock(name: string): Promise<(() => void) | null> {
      return new Promise((resolve) => {
        const server = createServer((socket) => socket.destroy());
        server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE' ? null : () => {}));
        server.listen(`\0${name}`, () => resolve(() => void server.close()));
      });
    },

    listen(options: ListenOptions, onSocket: (socket: TransportSocket) => void): Promise<Listener> {
      return new Promise((resolve, reject) => {
        let accepted = 0;
        const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (stream) => {
          accepted++;
          // Errors may occur before an owner is attached.
          stream.on('error', ignore);
          onSocket({ stream, unwritten: 0 } as unknown as NetSocket);
        });
        server.once('error', reject);
        const where =
          'path' in options
            ? { path: options.path }
            : 'descriptor' in options
              ? { fd: options.descriptor }
              : { host: options.address, port: options.port, reusePort: options.reusePort };
        server.listen({ ...where, backlog: options.backlog }, () => {
          server.off('error', reject);
          server.on('error', ignore);
          // A Unix socket that somebody else has bound has no name.
          const bound: AddressInfo | string = server.address() ?? 'a descriptor';
          const name = typeof bound === 'string' ? { address: bound, port: 0 } : bound;
          const close = () => void server.close();
          const drain = async (maxMs: number) => {
            await untilQuiet(() => accepted, QUIET_TURNS, process.uptime() + maxMs / 1000);
            close();
          };
          const ref = () => void server.ref();
          const unref = () => void server.unref();
          resolve({ address: name.address, port: name.port, close, drain, ref, unref });
        });
      });
    },

    attach(socket: TransportSocket, owner: SocketOwner): void {
      const { stream } = socket as NetSocket;
      socket.owner = owner;
      // Even a destroyed stream delivers what it still holds.
      stream.on('data', (bytes: Buffer) => {
        if (!stream.destroyed) socket.owner.onData(bytes, bytes.length);
      });
      stream.on('end', () => socket.owner.onEnd());
      stream.on('error', () => socket.owner.onFailure());
      stream.resume();
    },

    pause(socket: TransportSocket): void {
      (socket as NetSocket).stream.pause();
    },

    resume(socket: TransportSocket): void {
      (socket as NetSocket).stream.resume();
    },

    write(socket: TransportSocket, bytes: Buffer): WriteResultValue {
      const net = socket as NetSocket;
      const { stream } = net;
      if (stream.destroyed) return WriteResult.failed;
      // The stream keeps what it is given, but the caller may reuse these bytes, so it gets a copy. In several pieces, because
      // the progress of a single large one is not visible.
      const copy = Buffer.from(bytes);
      let at = 0;
      let isPending = false;
      const writeOn = () => {
        while (at < copy.length && !stream.destroyed) {
          const piece = copy.subarray(at, at + PIECE);
          at += piece.length;
          let isWaiting = false;
          stream.write(piece, () => {
            if (isWaiting) writeOn();
          });
          isWaiting = stream.writableLength > 0;
          net.unwritten = copy.length - at;
          if (isWaiting) {
            isPending = true;
            return;
          }
        }
        if (isPending) socket.owner.onWritten();
      };
      writeOn();
      return isPending ? WriteResult.pending : WriteResult.done;
    },

    pendingBytes(socket: TransportSocket): number {
      const { stream, unwritten } = socket as NetSocket;
      return stream.writableLength + unwritten;
    },

    remoteAddress(socket: TransportSocket): Address {
      const { remoteAddress, remotePort } = (socket as NetSocket).stream;
      return named(remoteAddress, remotePort);
    },

    localAddress(socket: TransportSocket): Address {
      const { localAddress, localPort } = (socket as NetSocket).stream;
      return named(localAddress, localPort);
    },

    peerCredentials(socket: TransportSocket): PeerCredentials | null {
      return this.remoteAddress(socket).family === 'unix' ? refusePeerCredentials() : null;
    },

    end(socket: TransportSocket): void {
      (socket as NetSocket).stream.end();
    },

    reset(socket: TransportSocket): void {
      const { stream } = socket as NetSocket;
      if (stream.remotePort !== undefined) stream.resetAndDestroy();
    },

    destroy(socket: TransportSocket): void {
      (socket as NetSocket).stream.destroy();
    },
  };
}

/** A Unix socket has neither address nor port. */
function named(address: string | undefined, port: number | undefined): Address {
  if (address === undefined || port === undefined) return { address: '', port: 0, family: 'unix' };
  return addressOf(address, port);
}

function ignore(): void {}
