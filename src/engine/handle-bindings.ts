/**
 * Node's stream handles under `node:net`, reached through `process.binding`: the parts that the other `handle-*` files use. Only
 * these files touch Node's internals.
 */
import type { Buffer } from 'node:buffer';
import { getSystemErrorMap } from 'node:util';
import type { SocketOwner, TransportSocket } from './transport.ts';

export interface StreamRequest {
  oncomplete: (this: StreamRequest) => void;
  handle: StreamHandle | null;
  /** Keeps the bytes alive until the kernel has them. */
  bytes: Buffer | null;
}

/** What TCP and Unix sockets have in common. */
export interface StreamHandle extends TransportSocket {
  owner: SocketOwner;
  onread: (this: StreamHandle) => void;
  onconnection: (status: number, client: StreamHandle | undefined) => void;
  readonly writeQueueSize: number;
  /** Takes the descriptor over: it is closed with the handle. */
  open(descriptor: number): number;
  /** Of the socket, once there is one. */
  readonly fd: number;
  listen(backlog: number): number;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
  writeBuffer(request: StreamRequest, bytes: Buffer): number;
  shutdown(request: StreamRequest): number;
  close(onClosed?: () => void): void;
  /** Whether it keeps the event loop alive. */
  ref(): void;
  unref(): void;
}

export interface TcpHandle extends StreamHandle {
  bind(address: string, port: number, flags: number): number;
  bind6(address: string, port: number, flags: number): number;
  setNoDelay(enable: boolean): number;
  getsockname(out: SocketName): number;
  getpeername(out: SocketName): number;
  connect(request: ConnectRequest, address: string, port: number): number;
  connect6(request: ConnectRequest, address: string, port: number): number;
  /** Closes with RST. Must not be called on a handle without a socket: it would neither fail nor ever be closed. */
  reset(onClosed?: () => void): number;
}

/** A connection being made; `status` is 0 or the negative number of a system error. */
export interface ConnectRequest {
  oncomplete: (status: number) => void;
}

export interface PipeHandle extends StreamHandle {
  /** What has come with the bytes that are being read. */
  pendingHandle?: PipeHandle | null;
  /** Sends another handle along; only on pipes of the kind `IPC`. */
  writeUtf8String(request: StreamRequest, text: string, handle: StreamHandle): number;
  bind(path: string): number;
  connect(request: ConnectRequest, path: string): number;
  fchmod(mode: number): number;
}

/** OpenSSL over another handle. */
export interface TlsHandle extends StreamHandle {
  /** The handle below; kept here, because nothing else keeps it from being collected, and Node's own code looks for it. */
  _parent: StreamHandle;
  onhandshakestart: () => void;
  onhandshakedone: (this: TlsHandle) => void;
  onerror: (this: TlsHandle, error: Error) => void;
  /** In the form of RFC 7301 §3.1. */
  setALPNProtocols(protocols: Buffer): void;
  /** false: there is none. */
  getALPNNegotiatedProtocol(): string | false;
  /** As if the bytes had come from the handle below. */
  receive(bytes: Buffer): void;
  destroySSL(): void;
}

export type TlsWrap = (below: StreamHandle, context: unknown, isServer: boolean, isWriting: boolean) => TlsHandle;

export interface SocketName {
  address?: string;
  port?: number;
}

export interface TcpBindings {
  TCP: new (type: number) => TcpHandle;
  TCPConnectWrap: new () => ConnectRequest;
  constants: { SERVER: number; SOCKET: number; UV_TCP_REUSEPORT: number };
  WriteWrap: new () => StreamRequest;
  ShutdownWrap: new () => StreamRequest;
  kReadBytesOrError: number;
  kLastWriteWasAsync: number;
  streamBaseState: Int32Array;
}

export interface PipeBindings {
  Pipe: new (type: number) => PipeHandle;
  PipeConnectWrap: new () => ConnectRequest;
  constants: { SERVER: number; SOCKET: number; IPC: number };
}

const TCP_METHODS = [
  'bind',
  'bind6',
  'open',
  'listen',
  'getsockname',
  'getpeername',
  'setNoDelay',
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
  'close',
  'connect',
  'connect6',
  'reset',
];

/** null if something is missing or has changed in this Node. */
export function loadTcpBindings(): TcpBindings | null {
  try {
    const all = { ...binding('tcp_wrap'), ...binding('stream_wrap') } as unknown as TcpBindings;
    const handle = new all.TCP(all.constants.SERVER) as unknown as Record<string, unknown>;
    const isComplete =
      TCP_METHODS.every((method) => typeof handle[method] === 'function') &&
      typeof handle['writeQueueSize'] === 'number' &&
      typeof all.WriteWrap === 'function' &&
      typeof all.ShutdownWrap === 'function' &&
      typeof all.TCPConnectWrap === 'function' &&
      Number.isInteger(all.constants.SOCKET) &&
      Number.isInteger(all.constants.UV_TCP_REUSEPORT) &&
      Number.isInteger(all.kReadBytesOrError) &&
      Number.isInteger(all.kLastWriteWasAsync) &&
      all.streamBaseState.length > Math.max(all.kReadBytesOrError, all.kLastWriteWasAsync);
    (handle as unknown as TcpHandle).close();
    return isComplete ? all : null;
  } catch {
    return null;
  }
}

export function loadPipeBindings(): PipeBindings {
  return binding('pipe_wrap') as unknown as PipeBindings;
}

const TLS_METHODS = [
  'setALPNProtocols',
  'getALPNNegotiatedProtocol',
  'receive',
  'destroySSL',
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'shutdown',
];

/** null if something is missing or has changed in this Node. */
export function loadTlsWrap(): TlsWrap | null {
  try {
    const { wrap, TLSWrap } = binding('tls_wrap') as { wrap: TlsWrap; TLSWrap: { prototype: Record<string, unknown> } };
    const isComplete = typeof wrap === 'function' && TLS_METHODS.every((name) => name in TLSWrap.prototype);
    return isComplete ? wrap : null;
  } catch {
    return null;
  }
}

/** A libuv error number as the error that Node would make of it. */
export function systemError(code: number): NodeJS.ErrnoException {
  const [name, text] = getSystemErrorMap().get(code) ?? [`E${-code}`, 'unknown error'];
  return Object.assign(new Error(`${name}: ${text}`), { code: name, errno: code });
}

function binding(name: string): Record<string, unknown> {
  return (process as unknown as { binding(name: string): Record<string, unknown> }).binding(name);
}
