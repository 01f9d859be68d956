/** UDP: datagrams in, datagrams out. Owns the socket. */
import type { Socket } from 'node:dgram';
import { asBuffer } from '../http/as-buffer.ts';
import { type Address, addressOf } from './address.ts';
import type { Bytes } from './protocol.ts';

export interface DatagramSocket {
  readonly local: Address;
  /** Bytes may be used again at once. False: dropped, because the kernel takes no more at the moment. Nobody learns whether it arrives. */
  send(bytes: Bytes, to: Address): boolean;
}

/** What a program does with datagrams. An error that is thrown is on stderr, and costs nothing else. */
export interface Datagrams {
  message(bytes: Uint8Array, from: Address, socket: DatagramSocket): void;
}

export interface DatagramListenOptions {
  /** IPv4 or IPv6 address; "::" accepts both kinds. */
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Sets SO_REUSEPORT: the kernel spreads clients over all sockets of the port. */
  readonly reusePort: boolean;
}

export interface OpenDatagrams {
  readonly local: Address;
  close(): void;
  ref(): void;
  unref(): void;
}

/** Bytes that may wait in this process, beyond the kernel's own buffer. */
const MAX_QUEUED = 1024 ** 2;

/** Rejects with the system's error. */
export async function openDatagrams(
  { address, port, reusePort }: DatagramListenOptions,
  handlers: Datagrams,
  report: (error: unknown) => void,
): Promise<OpenDatagrams> {
  const { createSocket } = await import('node:dgram');
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reusePort });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  const own = new OwnSocket(socket, report);
  socket.on('error', report);
  socket.on('message', (bytes, from) => {
    try {
      handlers.message(bytes, addressOf(from.address, from.port), own);
    } catch (error) {
      report(error);
    }
  });
  return {
    local: own.local,
    close: () => void socket.close(),
    ref: () => void socket.ref(),
    unref: () => void socket.unref(),
  };
}

class OwnSocket implements DatagramSocket {
  readonly local: Address;
  readonly #socket: Socket;
  readonly #report: (error: unknown) => void;
  readonly #isIPv6: boolean;

  constructor(socket: Socket, report: (error: unknown) => void) {
    this.#socket = socket;
    this.#report = report;
    const { address, port, family } = socket.address();
    this.#isIPv6 = family === 'IPv6';
    this.local = addressOf(address, port);
  }

  send(bytes: Bytes, { address, port }: Address): boolean {
    if (this.#socket.getSendQueueSize() > MAX_QUEUED) return false;
    const copy = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(asBuffer(bytes));
    // A socket for both families knows IPv4 only in this form.
    const to = this.#isIPv6 && !address.includes(':') ? `::ffff:${address}` : address;
    this.#socket.send(copy, port, to, this.#onSent);
    return true;
  }

  /** A client that has gone is no error: with UDP that is all there is to learn. */
  readonly #onSent = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null && error.code !== 'ECONNREFUSED') this.#report(error);
  };
}
