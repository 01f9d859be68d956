/** Addresses that a manager keeps for its workers, which listen there themselves. Owns a bound socket that never listens. */
import { loadPipeBindings, loadTcpBindings, type SocketName, systemError } from './handle-bindings.ts';
import { bind } from './handle-listeners.ts';
import type { Transport } from './transport.ts';

export interface Reservation {
  /** The port that the kernel has chosen, if it was left to it; 0 for a Unix socket. */
  readonly port: number;
  /** Of a Unix socket: given to the workers, which share it. Otherwise they bind the port themselves, with SO_REUSEPORT. */
  readonly descriptor: number | null;
  /** Of a Unix socket, also removes its file. */
  release(): void;
}

/** Rejects with the system's error. */
export async function reservePort(transport: Transport, address: string, port: number): Promise<Reservation> {
  const bindings = transport.name === 'handle' ? loadTcpBindings() : null;
  if (bindings === null) {
    // Nothing public binds without listening: only the number is found out.
    const listener = await transport.listen({ address, port, backlog: 1, reusePort: true }, (socket) =>
      transport.destroy(socket),
    );
    listener.close();
    return { port: listener.port, descriptor: null, release: () => {} };
  }
  const { TCP, constants } = bindings;
  const handle = new TCP(constants.SERVER);
  const name: SocketName = {};
  const error = bind(handle, address, port, constants.UV_TCP_REUSEPORT) || handle.getsockname(name);
  if (error !== 0) {
    handle.close();
    throw systemError(error);
  }
  handle.unref();
  return { port: name.port ?? 0, descriptor: null, release: () => handle.close() };
}

/** Throws the system's error. */
export function reserveUnixSocket(path: string): Reservation {
  const { Pipe, constants } = loadPipeBindings();
  const handle = new Pipe(constants.SERVER);
  const error = handle.bind(path);
  if (error !== 0) {
    handle.close();
    throw systemError(error);
  }
  handle.unref();
  return { port: 0, descriptor: handle.fd, release: () => handle.close() };
}
