/** How clients write where a server listens: by its first listener that speaks HTTP. */
import type { Address } from '../engine/address.ts';
import type { WantedListener } from './listeners.ts';
import type { ServeSettings } from './settings.ts';

type Wanted = readonly WantedListener[];
type Opened = readonly Address[];

/** As it was asked for; 'localhost' if no host was. */
export function hostnameOf(wanted: Wanted): string {
  const { where } = wanted[indexOf(wanted)] as WantedListener;
  return ('hostname' in where ? where.hostname : null) ?? 'localhost';
}

/** 0 for a Unix socket; until it listens, what was asked for. */
export function portOf(wanted: Wanted, opened: Opened): number {
  const index = indexOf(wanted);
  const { where } = wanted[index] as WantedListener;
  return opened[index]?.port ?? ('port' in where ? where.port : 0);
}

/** Host and port. */
export function authorityOf(wanted: Wanted, opened: Opened): string {
  const port = portOf(wanted, opened);
  const hostname = hostnameOf(wanted);
  if (port === 0 && opened[indexOf(wanted)]?.family === 'unix') return 'localhost';
  const isAny = hostname === '0.0.0.0' || hostname === '::';
  const host = isAny ? 'localhost' : hostname.includes(':') ? `[${hostname}]` : hostname;
  return `${host}:${port}`;
}

export function urlOf({ listeners, tls }: Pick<ServeSettings, 'listeners' | 'tls'>, opened: Opened): URL {
  const { where } = listeners[indexOf(listeners)] as WantedListener;
  if (where.kind === 'unix') return new URL(`unix://${where.path}`);
  return new URL(`${tls === null ? 'http' : 'https'}://${authorityOf(listeners, opened)}/`);
}

function indexOf(wanted: Wanted): number {
  return Math.max(
    0,
    wanted.findIndex(({ protocol, datagrams }) => protocol === null && datagrams === null),
  );
}
