/** How a server's connections begin: plain, or with TLS; with HTTP/2 or without. What that takes is loaded only if it is wanted. */
import type { OpenConnection, OpenHttp2 } from '../engine/live-connection.ts';
import { openTransport, type Transport } from '../engine/transport.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import { reportError } from '../workers/report.ts';
import type { ServeSettings } from './settings.ts';
import type { WorkerPlace } from './worker-place.ts';

export interface Beginning {
  readonly transport: Transport;
  /** undefined: HTTP/1. */
  readonly open: OpenConnection | undefined;
  readonly openHttp2: OpenHttp2 | null;
  /** For the other workers. */
  readonly tls: SharedTls | null;
  /** Lets go of what it owns. */
  close(): void;
}

/** Throws for certificates that cannot be used. */
export async function prepareListening({ tls, http2 }: ServeSettings, place: WorkerPlace): Promise<Beginning> {
  const openHttp2 = http2 ? (await import('../engine/http2-connection.ts')).openHttp2 : null;
  if (tls === null) {
    return { transport: await openTransport('handle'), open: undefined, openHttp2, tls: null, close: () => {} };
  }
  const { ServerTls, shareTls } = await import('../tls/server-tls.ts');
  const { makeTicketSecret } = await import('../tls/ticket-keys.ts');
  const { openTlsTransport } = await import('../engine/tls-transport.ts');
  const { openSecure } = await import('../engine/handshake.ts');
  const shared = (await place.tls) ?? shareTls(tls, makeTicketSecret());
  const report = (error: unknown) => reportError(place.index, error);
  const secured = new ServerTls({ tls, shared, http2, report });
  const transport = await openTlsTransport('handle');
  const open = openSecure(transport, secured.choose);
  return { transport, open, openHttp2, tls: shared, close: () => secured.close() };
}
