/**
 * The fast transport, on Node's stream handles. All connections of a worker are read into one buffer, a write that the kernel
 * takes at once makes no object, and no net.Socket exists: 9.0 µs of CPU per request instead of 11.4 (one worker, 64
 * connections). If an internal is missing or has changed, `openHandleTransport` returns null and `net-transport.ts` serves.
 */
import { Buffer } from 'node:buffer';
import { AcceptQueue, QUIET_TURNS, untilQuiet } from './accept-queue.ts';
import {
  loadPipeBindings,
  loadTcpBindings,
  type PipeHandle,
  type SocketName,
  type StreamHandle,
  type StreamRequest,
  systemError,
  type TcpBindings,
  type TcpHandle,
} from './handle-bindings.ts';
import { selfConnector } from './self-connection.ts';
import {
  type Address,
  addressOf,
  type Listener,
  type ListenOptions,
  type SocketOwner,
  type TcpListenOptions,
  type Transport,
  type TransportSocket,
  type UnixListenOptions,
  WriteResult,
  type WriteResultValue,
} from './transport.ts';

/** Bytes read at once. One buffer for all connections, so its size costs nothing but cache. */
export const READ_SIZE = 64 * 1024;
const UV_EOF = -4095;
const UV_EADDRINUSE = -98;

/** The transport, or null if this Node lacks what it needs. */
export function openHandleTransport(): Transport | null {
  const bindings = loadTcpBindings();
  return bindings === null ? null : makeTransport(bindings);
}

function makeTransport(bindings: TcpBindings): Transport {
  const { TCP, constants, WriteWrap, ShutdownWrap, kReadBytesOrError, kLastWriteWasAsync, streamBaseState } = bindings;
  const readBuffer = Buffer.allocUnsafeSlow(READ_SIZE);
  /** Taken by the next write that has to wait; every other write leaves it untouched. */
  let spareRequest = new WriteWrap();

  function onRead(this: StreamHandle): void {
    const length = streamBaseState[kReadBytesOrError] as number;
    if (length > 0) this.owner.onData(readBuffer, length);
    else if (length === UV_EOF) this.owner.onEnd();
    else if (length < 0) this.owner.onFailure();
  }

  function onWritten(this: StreamRequest): void {
    const handle = this.handle as StreamHandle;
    this.handle = null;
    this.bytes = null;
    handle.owner.onWritten();
  }

  return {
    name: 'handle',

    async assertFree(address: string, port: number): Promise<void> {
      // Bound only, never listening, so that no client can connect to it by mistake.
      const handle = new TCP(constants.SERVER);
      const error = bind(handle, address, port, 0) || handle.getsockname({});
      handle.close();
      if (error !== 0) throw systemError(error);
    },

    async tryLock(name: string): Promise<(() => void) | null> {
      const { Pipe, constants } = loadPipeBindings();
      const handle = new Pipe(constants.SOCKET);
      const error = handle.bind(`\0${name}`);
      if (error === 0) return () => handle.close();
      handle.close();
      return error === UV_EADDRINUSE ? null : ignore;
    },

    async listen(options: ListenOptions, onSocket: (socket: TransportSocket) => void): Promise<Listener> {
      return 'path' in options ? listenUnix(options, onSocket) : listenTcp(bindings, options, onSocket);
    },

    attach(socket: TransportSocket, owner: SocketOwner): void {
      const handle = socket as StreamHandle;
      handle.owner = owner;
      handle.onread = onRead;
      handle.useUserBuffer(readBuffer);
      handle.readStart();
    },

    pause(socket: TransportSocket): void {
      (socket as StreamHandle).readStop();
    },

    resume(socket: TransportSocket): void {
      (socket as StreamHandle).readStart();
    },

    write(socket: TransportSocket, bytes: Buffer): WriteResultValue {
      const handle = socket as StreamHandle;
      const request = spareRequest;
      if (handle.writeBuffer(request, bytes) !== 0) return WriteResult.failed;
      if (streamBaseState[kLastWriteWasAsync] === 0) return WriteResult.done;
      spareRequest = new WriteWrap();
      request.oncomplete = onWritten;
      request.handle = handle;
      request.bytes = bytes;
      return WriteResult.pending;
    },

    pendingBytes(socket: TransportSocket): number {
      return (socket as StreamHandle).writeQueueSize;
    },

    remoteAddress(socket: TransportSocket): Address {
      return nameOf(socket, 'getpeername');
    },

    localAddress(socket: TransportSocket): Address {
      return nameOf(socket, 'getsockname');
    },

    end(socket: TransportSocket): void {
      const request = new ShutdownWrap();
      request.oncomplete = ignore;
      (socket as StreamHandle).shutdown(request);
    },

    reset(socket: TransportSocket): void {
      const handle = socket as TcpHandle;
      if (typeof handle.reset === 'function') handle.reset();
    },

    destroy(socket: TransportSocket): void {
      (socket as StreamHandle).close();
    },
  };
}

function listenTcp(
  bindings: TcpBindings,
  options: TcpListenOptions,
  onSocket: (socket: TransportSocket) => void,
): Listener {
  const { TCP, constants } = bindings;
  const handle = new TCP(constants.SERVER);
  const flags = options.reusePort ? constants.UV_TCP_REUSEPORT : 0;
  const name: SocketName = {};
  let queue: AcceptQueue | null = null;
  handle.onconnection = (_status, client) => {
    if (client === undefined || queue === null) return;
    if (queue.takes(() => nameOf(client, 'getpeername'))) client.close();
    else onSocket(client);
  };
  const error =
    bind(handle, options.address, options.port, flags) ||
    // Accepted sockets inherit TCP_NODELAY from the listener: one fewer system call per connection.
    handle.setNoDelay(true) ||
    handle.listen(options.backlog) ||
    handle.getsockname(name);
  if (error !== 0) {
    handle.close();
    throw systemError(error);
  }
  const { address = '', port = 0 } = name;
  // "::" accepts IPv4 as well, which is there even if IPv6 has no address.
  const own = address === '0.0.0.0' || address === '::' ? '127.0.0.1' : address;
  const open = new AcceptQueue(handle, selfConnector(bindings, own, port), own, options.backlog);
  queue = open;
  return {
    address,
    port,
    close: () => open.close(),
    drain: (maxMs) => open.drain(maxMs),
    ref: () => handle.ref(),
    unref: () => handle.unref(),
  };
}

function listenUnix(options: UnixListenOptions, onSocket: (socket: TransportSocket) => void): Listener {
  const { Pipe, constants } = loadPipeBindings();
  const handle: PipeHandle = new Pipe(constants.SERVER);
  let accepted = 0;
  handle.onconnection = (_status, client) => {
    if (client === undefined) return;
    accepted++;
    onSocket(client);
  };
  const error = handle.bind(options.path) || handle.listen(options.backlog);
  if (error !== 0) {
    handle.close();
    throw systemError(error);
  }
  // libuv removes the file when the handle is closed.
  const close = () => handle.close();
  const drain = async (maxMs: number) => {
    await untilQuiet(() => accepted, QUIET_TURNS, process.uptime() + maxMs / 1000);
    close();
  };
  return { address: options.path, port: 0, close, drain, ref: () => handle.ref(), unref: () => handle.unref() };
}

function bind(handle: TcpHandle, address: string, port: number, flags: number): number {
  return address.includes(':') ? handle.bind6(address, port, flags) : handle.bind(address, port, flags);
}

/** A Unix socket has no names worth asking for. */
function nameOf(socket: TransportSocket, ask: 'getpeername' | 'getsockname'): Address {
  const handle = socket as TcpHandle;
  if (typeof handle[ask] !== 'function') return { address: '', port: 0, family: 'unix' };
  const name: SocketName = {};
  handle[ask](name);
  return addressOf(name.address ?? '', name.port ?? 0);
}

function ignore(): void {}
