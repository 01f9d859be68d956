/** The transport on public interfaces of `node:net` only: slower, and there where Node's internals are not. */
import { Buffer } from 'node:buffer';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { untilQuiet } from './accept-queue.ts';
import {
  type Link,
  type LinkOwner,
  type Listener,
  type ListenOptions,
  type Transport,
  WriteResult,
  type WriteResultValue,
} from './transport.ts';

interface SocketLink extends Link {
  readonly socket: Socket;
  /** Octets of the present write that the stream has not been given yet. */
  unwritten: number;
}

/** Octets given to the stream at once. */
const PIECE = 64 * 1024;

export function openNetTransport(): Transport {
  return {
    name: 'net',

    async assertFree(address: string, port: number): Promise<void> {
      // Nothing public binds without listening: who connects in this moment is reset.
      const listener = await this.listen({ address, port, backlog: 1, reusePort: false }, (link) => this.destroy(link));
      listener.close();
    },

    listen(options: ListenOptions, onLink: (link: Link) => void): Promise<Listener> {
      return new Promise((resolve, reject) => {
        let accepted = 0;
        const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
          accepted++;
          // Errors may come before anybody attaches.
          socket.on('error', ignore);
          onLink({ socket, unwritten: 0 } as unknown as SocketLink);
        });
        server.once('error', reject);
        const { address: host, port, backlog, reusePort } = options;
        server.listen({ host, port, backlog, reusePort }, () => {
          server.off('error', reject);
          server.on('error', ignore);
          const bound = server.address() as AddressInfo;
          const close = () => void server.close();
          const drain = async (maxMs: number) => {
            await untilQuiet(() => accepted, 3, process.uptime() + maxMs / 1000);
            close();
          };
          resolve({ address: bound.address, port: bound.port, close, drain });
        });
      });
    },

    attach(link: Link, owner: LinkOwner): void {
      const { socket } = link as SocketLink;
      link.owner = owner;
      // A stream hands out what it still holds, destroyed or not.
      socket.on('data', (bytes: Buffer) => {
        if (!socket.destroyed) owner.onData(bytes, bytes.length);
      });
      socket.on('end', () => owner.onEnd());
      socket.on('error', () => owner.onFailure());
      socket.resume();
    },

    pause(link: Link): void {
      (link as SocketLink).socket.pause();
    },

    resume(link: Link): void {
      (link as SocketLink).socket.resume();
    },

    write(link: Link, octets: Buffer): WriteResultValue {
      const { socket } = link as SocketLink;
      if (socket.destroyed) return WriteResult.failed;
      // The stream keeps what it is given, and what it is given may be used again: it gets a copy. In pieces, one after the
      // other: of a single large one nobody can see how far it has come.
      const copy = Buffer.from(octets);
      let at = 0;
      let isPending = false;
      const writeOn = () => {
        while (at < copy.length && !socket.destroyed) {
          const piece = copy.subarray(at, at + PIECE);
          at += piece.length;
          let isWaiting = false;
          socket.write(piece, () => {
            if (isWaiting) writeOn();
          });
          isWaiting = socket.writableLength > 0;
          (link as SocketLink).unwritten = copy.length - at;
          if (isWaiting) {
            isPending = true;
            return;
          }
        }
        if (isPending) link.owner.onWritten();
      };
      writeOn();
      return isPending ? WriteResult.pending : WriteResult.done;
    },

    pendingOctets(link: Link): number {
      const { socket, unwritten } = link as SocketLink;
      return socket.writableLength + unwritten;
    },

    end(link: Link): void {
      (link as SocketLink).socket.end();
    },

    destroy(link: Link): void {
      (link as SocketLink).socket.destroy();
    },
  };
}

function ignore(): void {}
