/** Connections to the worker's own listener, on stream handles, for `accept-queue.ts`. */
import { type SocketName, systemError, type TcpBindings, type TcpHandle } from './handle-bindings.ts';

/** Owned by its opener: ended by reset(). */
export interface SelfConnection {
  readonly localPort: number;
  /** The handshake is over: there was room in the accept queue. */
  readonly isEstablished: boolean;
  /** Closes with RST. */
  reset(): void;
}

/** Opens connections to `address` and `port`; each from a local port of the caller's choice, 0 for any. */
export type SelfConnector = (localPort: number) => SelfConnection | null;

/** The connector returns null if there is no socket: no descriptor is left, or the local port is taken. */
export function selfConnector(bindings: TcpBindings, address: string, port: number): SelfConnector {
  const { TCP, TCPConnectWrap, constants } = bindings;
  const isIPv6 = address.includes(':');
  return (localPort) => {
    const handle = new TCP(constants.SOCKET);
    const error = isIPv6 ? handle.bind6(address, localPort, 0) : handle.bind(address, localPort, 0);
    if (error !== 0) {
      // No socket was made, or it is not bound, so there is nothing to reset.
      handle.close();
      return null;
    }
    const request = new TCPConnectWrap();
    request.oncomplete = () => {};
    if (isIPv6) handle.connect6(request, address, port);
    else handle.connect(request, address, port);
    return new BoundHandle(handle);
  };
}

class BoundHandle implements SelfConnection {
  readonly localPort: number;
  readonly #handle: TcpHandle;

  constructor(handle: TcpHandle) {
    const name: SocketName = {};
    const error = handle.getsockname(name);
    if (error !== 0) throw systemError(error);
    this.#handle = handle;
    this.localPort = name.port ?? 0;
  }

  /** On one machine the handshake is over as soon as connect returns, if there is room. */
  get isEstablished(): boolean {
    return this.#handle.getpeername({}) === 0;
  }

  reset(): void {
    this.#handle.reset();
  }
}
