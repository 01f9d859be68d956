/** Opens connections on stream handles, which the transport on handles then reads and writes. */
import type { Connector, ConnectTarget, OnConnected } from './connector.ts';
import {
  type ConnectRequest,
  loadPipeBindings,
  loadTcpBindings,
  systemError,
  type TcpBindings,
} from './handle-bindings.ts';
import type { Transport, TransportSocket } from './transport.ts';

/** null if this Node lacks what it needs. */
export function handleConnector(transport: Transport): Connector | null {
  const bindings = loadTcpBindings();
  if (bindings === null) return null;
  return {
    transport,
    connect(target: ConnectTarget, onConnected: OnConnected): TransportSocket {
      return 'path' in target ? connectUnix(target.path, onConnected) : connectTcp(bindings, target, onConnected);
    },
  };
}

function connectTcp(
  bindings: TcpBindings,
  { address, port }: { address: string; port: number },
  onConnected: OnConnected,
): TransportSocket {
  const { TCP, TCPConnectWrap, constants } = bindings;
  const handle = new TCP(constants.SOCKET);
  const request = new TCPConnectWrap();
  const onComplete = completion(request, onConnected);
  const error = address.includes(':')
    ? handle.connect6(request, address, port)
    : handle.connect(request, address, port);
  if (error !== 0) process.nextTick(onComplete, error);
  else handle.setNoDelay(true);
  return handle;
}

function connectUnix(path: string, onConnected: OnConnected): TransportSocket {
  const { Pipe, PipeConnectWrap, constants } = loadPipeBindings();
  const handle = new Pipe(constants.SOCKET);
  const request = new PipeConnectWrap();
  const onComplete = completion(request, onConnected);
  const error = handle.connect(request, path);
  if (error !== 0) process.nextTick(onComplete, error);
  return handle;
}

/** What `request` calls when it is done. */
function completion(request: ConnectRequest, onConnected: OnConnected): (status: number) => void {
  const onComplete = (status: number) => onConnected(status === 0 ? null : (systemError(status).code ?? 'UNKNOWN'));
  request.oncomplete = onComplete;
  return onComplete;
}
