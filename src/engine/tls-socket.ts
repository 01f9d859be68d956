/**
 * One connection with TLS on Node's handles: how far it is, what is being written, what has come while nobody wanted it, and its
 * end. Owns both handles.
 */
import { Buffer } from 'node:buffer';
import type { StreamHandle, TlsHandle } from './handle-bindings.ts';
import type { Handshaking } from './tls-transport.ts';
import type { SocketOwner, TransportSocket } from './transport.ts';

const NOTHING = Buffer.alloc(0);

export const Stage = {
  /** The client has not said what it wants: there is no TLS yet. */
  first: 0,
  handshake: 1,
  open: 2,
  /** Nothing more is sent: the client has been told, or is gone. */
  ended: 3,
  /** Destroyed, as soon as the write under way is over. */
  leaving: 4,
  closed: 5,
} as const;
type StageValue = (typeof Stage)[keyof typeof Stage];

export const Writing = {
  none: 0,
  /** The wrap has not said that it is over, but the kernel has everything: reported as done. */
  taken: 1,
  /** The owner waits for `onWritten`. */
  awaited: 2,
} as const;
type WritingValue = (typeof Writing)[keyof typeof Writing];

export class TlsSocket implements TransportSocket {
  owner: SocketOwner;
  readonly plain: StreamHandle;
  /** Set from the handshake on. */
  tls: TlsHandle | null = null;
  stage: StageValue = Stage.first;
  writing: WritingValue = Writing.none;
  /** To be ended when the write under way is over. */
  isEnding = false;
  /** Handed over while the wrap is writing. */
  queue: Buffer | null = null;
  isPaused = false;
  /** A wrap goes on with what it has decrypted, even while it does not read: this came since the pause. */
  held: Buffer | null = null;
  hasEnded = false;

  constructor(plain: StreamHandle, owner: SocketOwner) {
    this.plain = plain;
    this.owner = owner;
  }
}

export interface OwnHandle extends TlsHandle {
  socket: TlsSocket;
}

/** `length` below 0: the end. */
export function hold(socket: TlsSocket, bytes: Buffer, length: number): void {
  if (length < 0) socket.hasEnded = true;
  else socket.held = Buffer.concat([socket.held ?? NOTHING, bytes.subarray(0, length)]);
}

export function deliver(socket: TlsSocket): void {
  const { held } = socket;
  if (socket.isPaused || socket.stage > Stage.ended) return;
  socket.held = null;
  if (held !== null) socket.owner.onData(held, held.length);
  if (!socket.hasEnded || socket.isPaused || (socket.stage as StageValue) > Stage.ended) return;
  socket.hasEnded = false;
  socket.owner.onEnd();
}

export function plainOf(socket: TransportSocket): TransportSocket {
  return socket instanceof TlsSocket ? socket.plain : socket;
}

export function close(socket: TlsSocket): void {
  if (socket.stage === Stage.closed) return;
  socket.stage = Stage.closed;
  // Not on OpenSSL's own stack, which may be what called.
  socket.plain.close(() => socket.tls?.destroySSL());
}

export function onHandshakeDone(this: TlsHandle): void {
  const { socket } = this as OwnHandle;
  if (socket.stage !== Stage.handshake) return;
  socket.stage = Stage.open;
  (socket.owner as Handshaking).onSecured(this.getALPNNegotiatedProtocol() || null);
}

export function onError(this: TlsHandle): void {
  fail((this as OwnHandle).socket);
}

export function fail(socket: TlsSocket): void {
  if (socket.stage > Stage.ended) return;
  socket.stage = Stage.ended;
  socket.owner.onFailure();
}
