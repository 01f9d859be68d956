/** Opens connections with `node:net`, which the transport on `node:net` then reads and writes. */
import { connect } from 'node:net';
import type { Connector, ConnectTarget, OnConnected } from './connector.ts';
import { openNetTransport, socketOf } from './net-transport.ts';
import type { TransportSocket } from './transport.ts';

export function netConnector(): Connector {
  return {
    transport: openNetTransport(),
    connect(target: ConnectTarget, onConnected: OnConnected): TransportSocket {
      const where = 'path' in target ? { path: target.path } : { host: target.address, port: target.port };
      const stream = connect({ ...where, allowHalfOpen: true, noDelay: true });
      return socketOf(stream, 'connect', onConnected);
    },
  };
}
