/** Listening sockets on Node's stream handles: TCP, Unix sockets, and those that another process has opened. */
import { AcceptQueue, QUIET_TURNS, untilQuiet } from './accept-queue.ts';
import { type Address, addressOf } from './address.ts';
import {
  loadPipeBindings,
  type PipeHandle,
  type SocketName,
  type StreamHandle,
  systemError,
  type TcpBindings,
  type TcpHandle,
} from './handle-bindings.ts';
import { selfConnector } from './self-connection.ts';
import type { SharedListener } from './shared-listener.ts';
import type {
  DescriptorListenOptions,
  Listener,
  SharedListenOptions,
  TcpListenOptions,
  TransportSocket,
  UnixListenOptions,
} from './transport.ts';

type OnSocket = (socket: TransportSocket) => void;

export function listenTcp(bindings: TcpBindings, options: TcpListenOptions, onSocket: OnSocket): Listener {
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

export function listenUnix({ path, backlog }: UnixListenOptions, onSocket: OnSocket): Listener {
  const { Pipe, constants } = loadPipeBindings();
  const handle: PipeHandle = new Pipe(constants.SERVER);
  // libuv removes the file when the handle is closed.
  const listener = listenOn(handle, handle.bind(path), backlog, { address: path, port: 0 }, onSocket);
  let shared: SharedListener | null = null;
  return {
    ...listener,
    close: () => {
      shared?.close();
      shared = null;
      listener.close();
    },
    drain: (maxMs) => {
      shared?.close();
      shared = null;
      return listener.drain(maxMs);
    },
    share: async () => {
      const { shareListener } = await import('./shared-listener.ts');
      shared ??= shareListener(handle);
      return shared?.ticket ?? null;
    },
  };
}

/** Of a socket that another thread listens on: what is left in its queue is that one's to accept. */
export async function listenShared(
  { ticket, path, backlog }: SharedListenOptions,
  onSocket: OnSocket,
): Promise<Listener> {
  const { takeListener } = await import('./shared-listener.ts');
  return listenOn(await takeListener(ticket), 0, backlog, { address: path, port: 0 }, onSocket);
}

/** A socket that others hold too: whatever is left in its queue when it is closed here is theirs to accept. */
export function listenDescriptor(
  { TCP, constants }: TcpBindings,
  { descriptor, backlog }: DescriptorListenOptions,
  onSocket: OnSocket,
): Listener {
  const tcp = new TCP(constants.SERVER);
  const name: SocketName = {};
  const error = tcp.open(descriptor) || tcp.getsockname(name);
  // A socket of another family has no port that this could ask for.
  if (error === 0 && name.port !== undefined) {
    const { address = '', port } = name;
    return listenOn(tcp, tcp.setNoDelay(true), backlog, { address, port }, onSocket);
  }
  const pipes = loadPipeBindings();
  const pipe = new pipes.Pipe(pipes.constants.SERVER);
  return listenOn(pipe, pipe.open(descriptor), backlog, { address: `descriptor ${descriptor}`, port: 0 }, onSocket);
}

function listenOn(
  handle: StreamHandle,
  opened: number,
  backlog: number,
  place: { readonly address: string; readonly port: number },
  onSocket: OnSocket,
): Listener {
  let accepted = 0;
  handle.onconnection = (_status, client) => {
    if (client === undefined) return;
    accepted++;
    onSocket(client);
  };
  const error = opened || handle.listen(backlog);
  if (error !== 0) {
    handle.close();
    throw systemError(error);
  }
  const close = () => handle.close();
  const drain = async (maxMs: number) => {
    await untilQuiet(() => accepted, QUIET_TURNS, process.uptime() + maxMs / 1000);
    close();
  };
  return { ...place, close, drain, ref: () => handle.ref(), unref: () => handle.unref() };
}

export function bind(handle: TcpHandle, address: string, port: number, flags: number): number {
  return address.includes(':') ? handle.bind6(address, port, flags) : handle.bind(address, port, flags);
}

/** A Unix socket has no names worth asking for. */
export function nameOf(socket: TransportSocket, ask: 'getpeername' | 'getsockname'): Address {
  const handle = socket as TcpHandle;
  if (typeof handle[ask] !== 'function') return { address: '', port: 0, family: 'unix' };
  const name: SocketName = {};
  handle[ask](name);
  return addressOf(name.address ?? '', name.port ?? 0);
}
