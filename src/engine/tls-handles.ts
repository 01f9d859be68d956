/**
 * TLS on Node's handles: a TLSWrap over the handle of a connection, without `tls.TLSSocket`. All connections of a worker decrypt
 * into one buffer. Touches Node's internals like the `handle-*` files; if one is missing, `tls-streams.ts` serves.
 *
 * A TLSWrap takes one write at a time (a second one would end the process), and tells only in a later turn that it is done, even
 * if the kernel took everything at once. A request must not wait for that turn, so such a write is reported as done.
 */
import { Buffer } from 'node:buffer';
import type { Address, PeerCredentials } from './address.ts';
import {
  loadTcpBindings,
  loadTlsWrap,
  type StreamHandle,
  type StreamRequest,
  type TlsHandle,
  type TlsWrap,
} from './handle-bindings.ts';
import { READ_SIZE } from './handle-transport.ts';
import {
  close,
  deliver,
  fail,
  hold,
  type OwnHandle,
  onError,
  onHandshakeDone,
  plainOf,
  Stage,
  TlsSocket,
  Writing,
} from './tls-socket.ts';
import {
  type ChooseTls,
  FirstReader,
  type HandshakeOwner,
  Handshaking,
  type TlsChoice,
  type TlsTransport,
} from './tls-transport.ts';
import {
  type SocketOwner,
  type Transport,
  type TransportSocket,
  WriteResult,
  type WriteResultValue,
} from './transport.ts';

const UV_EOF = -4095;
/** What a wrap encrypts into buffers that it gives to the kernel in one write: 10 of 16 KiB, of which the first is smaller. */
const WRITTEN_AT_ONCE = 128 * 1024;

interface TlsRequest extends StreamRequest {
  socket: TlsSocket | null;
}

/** null if this Node lacks what it needs. */
export function openTlsOnHandles(base: Transport): TlsTransport | null {
  const bindings = loadTcpBindings();
  const wrap = loadTlsWrap();
  if (bindings === null || wrap === null) return null;
  const { WriteWrap, ShutdownWrap, kReadBytesOrError, kLastWriteWasAsync, streamBaseState } = bindings;
  const readBuffer = Buffer.allocUnsafeSlow(READ_SIZE);

  function onRead(this: StreamHandle): void {
    const { socket } = this as OwnHandle;
    if (socket.stage > Stage.ended) return;
    const length = streamBaseState[kReadBytesOrError] as number;
    if (length < 0 && length !== UV_EOF) socket.owner.onFailure();
    else if (socket.isPaused || socket.held !== null) hold(socket, readBuffer, length);
    else if (length > 0) socket.owner.onData(readBuffer, length);
    else if (length === UV_EOF) socket.owner.onEnd();
  }

  function startWriting(socket: TlsSocket, bytes: Buffer): WriteResultValue {
    const request = new WriteWrap() as TlsRequest;
    if ((socket.tls as TlsHandle).writeBuffer(request, bytes) !== 0) return WriteResult.failed;
    if (streamBaseState[kLastWriteWasAsync] === 0) return WriteResult.done;
    request.oncomplete = onWritten;
    request.socket = socket;
    request.bytes = bytes;
    if (bytes.length <= WRITTEN_AT_ONCE && socket.plain.writeQueueSize === 0) {
      socket.writing = Writing.taken;
      return WriteResult.done;
    }
    socket.writing = Writing.awaited;
    return WriteResult.pending;
  }

  function onWritten(this: StreamRequest): void {
    const socket = (this as TlsRequest).socket as TlsSocket;
    const isAwaited = socket.writing === Writing.awaited;
    socket.writing = Writing.none;
    const { queue } = socket;
    if (queue !== null && socket.stage !== Stage.closed) {
      socket.queue = null;
      const result = startWriting(socket, queue);
      if (result === WriteResult.pending) return;
      if (result === WriteResult.failed) {
        fail(socket);
        return;
      }
    }
    if (isAwaited) socket.owner.onWritten();
    if (socket.writing !== Writing.none || socket.stage === Stage.closed) return;
    if (socket.isEnding) shutDown(socket);
    if (socket.stage === Stage.leaving) close(socket);
  }

  /** Sends close_notify and FIN. */
  function shutDown(socket: TlsSocket): void {
    socket.isEnding = false;
    if (socket.stage === Stage.open) socket.stage = Stage.ended;
    const request = new ShutdownWrap();
    request.oncomplete = ignore;
    socket.tls?.shutdown(request);
  }

  function start(socket: TlsSocket, hello: Buffer, { context, protocols }: TlsChoice): void {
    const native = (context as unknown as { context: unknown }).context;
    const tls = (wrap as TlsWrap)(socket.plain, native, true, false) as OwnHandle;
    tls._parent = socket.plain;
    tls.socket = socket;
    socket.tls = tls;
    socket.stage = Stage.handshake;
    tls.onhandshakestart = ignore;
    tls.onhandshakedone = onHandshakeDone;
    tls.onerror = onError;
    tls.onread = onRead;
    if (protocols.length > 0) tls.setALPNProtocols(wireForm(protocols));
    tls.useUserBuffer(readBuffer);
    tls.readStart();
    tls.receive(hello);
  }

  return {
    ...base,

    secure(socket: TransportSocket, choose: ChooseTls, owner: HandshakeOwner): TransportSocket {
      const tls = new TlsSocket(socket as StreamHandle, new Handshaking(owner));
      base.attach(socket, new FirstReader(socket, choose, owner, (hello, choice) => start(tls, hello, choice)));
      return tls;
    },

    attach(socket: TransportSocket, owner: SocketOwner): void {
      if (socket instanceof TlsSocket) socket.owner = owner;
      else base.attach(socket, owner);
    },

    pause(socket: TransportSocket): void {
      if (!(socket instanceof TlsSocket)) {
        base.pause(socket);
        return;
      }
      socket.isPaused = true;
      socket.tls?.readStop();
    },

    resume(socket: TransportSocket): void {
      if (!(socket instanceof TlsSocket)) {
        base.resume(socket);
        return;
      }
      socket.isPaused = false;
      socket.tls?.readStart();
      // Its owner is not ready for data during the call.
      if (socket.held !== null || socket.hasEnded) queueMicrotask(() => deliver(socket));
    },

    write(socket: TransportSocket, bytes: Buffer): WriteResultValue {
      if (!(socket instanceof TlsSocket)) return base.write(socket, bytes);
      if (socket.stage !== Stage.open) return WriteResult.failed;
      if (socket.writing === Writing.none) return startWriting(socket, bytes);
      socket.queue = Buffer.concat(socket.queue === null ? [bytes] : [socket.queue, bytes]);
      socket.writing = Writing.awaited;
      return WriteResult.pending;
    },

    pendingBytes(socket: TransportSocket): number {
      if (!(socket instanceof TlsSocket)) return base.pendingBytes(socket);
      if (socket.writing !== Writing.awaited) return 0;
      const { tls, plain, queue } = socket;
      // Never 0 before `onWritten`, when the wrap takes the next write.
      return Math.max(1, (tls?.writeQueueSize ?? 0) + plain.writeQueueSize + (queue?.length ?? 0));
    },

    peerCredentials(socket: TransportSocket): PeerCredentials | null {
      return base.peerCredentials(plainOf(socket));
    },

    remoteAddress(socket: TransportSocket): Address {
      return base.remoteAddress(plainOf(socket));
    },

    localAddress(socket: TransportSocket): Address {
      return base.localAddress(plainOf(socket));
    },

    end(socket: TransportSocket): void {
      if (!(socket instanceof TlsSocket)) base.end(socket);
      // A FIN must not overtake the close_notify.
      else if (socket.writing !== Writing.none) socket.isEnding = true;
      else if (socket.stage === Stage.open) shutDown(socket);
    },

    reset(socket: TransportSocket): void {
      if (!(socket instanceof TlsSocket)) {
        base.reset(socket);
        return;
      }
      if (socket.stage === Stage.closed) return;
      socket.stage = Stage.closed;
      const { plain } = socket;
      if ('reset' in plain) (plain as { reset(onClosed: () => void): number }).reset(() => socket.tls?.destroySSL());
      else close(socket);
    },

    destroy(socket: TransportSocket): void {
      if (!(socket instanceof TlsSocket)) {
        base.destroy(socket);
        return;
      }
      switch (socket.writing) {
        case Writing.taken:
          // What has been written leaves first, and the client is told that it was all.
          if (socket.stage === Stage.open) socket.isEnding = true;
          if (socket.stage < Stage.leaving) socket.stage = Stage.leaving;
          return;
        case Writing.none:
          if (socket.stage === Stage.open) shutDown(socket);
          break;
        default:
      }
      close(socket);
    },
  };
}

/** RFC 7301 §3.1. */
function wireForm(protocols: readonly string[]): Buffer {
  return Buffer.concat(protocols.map((name) => Buffer.from(String.fromCharCode(name.length) + name, 'latin1')));
}

function ignore(): void {}
