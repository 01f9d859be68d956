/**
 * Opens TLS connections, with Node's own verification of certificates and names. On `node:tls` streams, which cost more than
 * handles, but these connections are kept alive, and most upstreams are on the same machine without TLS.
 */
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect } from 'node:tls';
import type { Connector, ConnectTarget, OnConnected } from './connector.ts';
import { openNetTransport, socketOf } from './net-transport.ts';
import type { TransportSocket } from './transport.ts';

export interface TlsClientOptions {
  /** The name in the certificate, and in SNI unless it is an address. */
  readonly serverName: string;
  /** Certificates (PEM) to trust instead of the system's. */
  readonly ca?: string | readonly string[];
  /** Accepts any certificate. Dangerous: anybody on the way can read and change everything. */
  readonly isUnverified?: boolean;
  /** The certificate (PEM) that is shown to the server, and its key. */
  readonly cert?: string;
  readonly key?: string;
}

export function tlsConnector(options: TlsClientOptions): Connector {
  const { serverName, ca, cert, key, isUnverified = false } = options;
  const shared: ConnectionOptions = {
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !isUnverified,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // RFC 6066 §3: SNI holds names, never addresses. The certificate is checked against `host` in both cases.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
  };
  /** Makes later handshakes of the same server cheap (RFC 8446 §2.2). */
  let session: Buffer | undefined;
  return {
    transport: openNetTransport(),
    connect(target: ConnectTarget, onConnected: OnConnected): TransportSocket {
      const where = 'path' in target ? { path: target.path } : { host: target.address, port: target.port };
      const stream = connect({
        ...shared,
        ...where,
        ...(session === undefined ? {} : { session }),
        // Otherwise Node would check against the address.
        checkServerIdentity: (_host, certificate) => checkServerIdentity(serverName, certificate),
      });
      stream.setNoDelay(true);
      stream.on('session', (ticket) => {
        session = ticket;
      });
      return socketOf(stream, 'secureConnect', onConnected);
    },
  };
}
