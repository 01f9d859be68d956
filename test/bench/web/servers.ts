/** The web servers that are compared, one row each: all serve the same folder, pass on to the same origin and have the same certificate. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeSelfSigned } from '../../../src/tls/self-signed.ts';
import { fromDebian, fromNpm, output, packageOurs } from '../fetch.ts';
import { work } from '../places.ts';
import { FILES, pageOf } from './cases.ts';
import {
  caddyfile,
  haproxyConfiguration,
  lighttpdConfiguration,
  nginxConfiguration,
  vryptToml,
} from './configurations.ts';

/** Where everything is that servers are configured with. */
export interface Place {
  readonly files: string;
  readonly cert: string;
  readonly key: string;
  /** Both in one file, as HAProxy and lighttpd read them. */
  readonly both: string;
  readonly originPort: number;
  /** What servers may write. */
  readonly scratch: string;
}

export interface WebServer {
  readonly id: string;
  readonly title: string;
  /** Cases that it has no answer to. */
  readonly lacks: readonly string[];
  /** Rejects with the reason if it is unavailable on this machine. */
  prepare(place: Place): Promise<Prepared>;
}

export interface Prepared {
  readonly version: string;
  command(port: number): string[];
}

export const OURS = 'vrypt';
/** The same with log, metrics, rate limit, header rules and compression. */
export const OURS_WITH_ALL = 'vrypt-all';
const HTTP_PROXY = '1.18.1';
const FILE_CASES = ['file-1k', 'file-10k', 'file-100k', 'file-1m', 'compressed'];
const ONLY_FILE = ['file-10k', 'file-100k', 'file-1m', 'proxy', 'tls', 'tls-new', 'h2', 'file-1k'];

export const WEB_SERVERS: readonly WebServer[] = [
  { id: OURS, title: 'vrypt-server', lacks: [], prepare: (place) => ours(place, false) },
  { id: OURS_WITH_ALL, title: 'vrypt-server, everything on', lacks: ONLY_FILE, prepare: (place) => ours(place, true) },
  {
    id: 'nginx',
    title: 'nginx',
    lacks: ['compressed'],
    async prepare(place) {
      const nginx = await fromDebian('nginx', ['nginx']);
      return {
        version: versionIn(await output([...nginx, '-v'])),
        command: (port) => [
          ...nginx,
          ...['-e', 'stderr', '-p', place.scratch],
          ...['-c', written(place, 'nginx.conf', nginxConfiguration(place, port))],
        ],
      };
    },
  },
  {
    id: 'haproxy',
    title: 'HAProxy',
    lacks: FILE_CASES,
    async prepare(place) {
      const haproxy = await fromDebian('haproxy', ['haproxy', 'liblua5.3-0', 'libopentracing1']);
      return {
        version: versionIn(await output([...haproxy, '-v'])),
        command: (port) => [
          ...haproxy,
          ...['-q', '-db', '-f', written(place, 'haproxy.cfg', haproxyConfiguration(place, port))],
        ],
      };
    },
  },
  {
    id: 'lighttpd',
    title: 'lighttpd',
    lacks: ['compressed'],
    async prepare(place) {
      const lighttpd = await fromDebian('lighttpd', ['lighttpd', 'lighttpd-mod-openssl']);
      return {
        version: versionIn(await output([...lighttpd, '-v'])),
        command: (port) => [
          ...lighttpd,
          '-D',
          '-f',
          written(place, 'lighttpd.conf', lighttpdConfiguration(place, port)),
        ],
      };
    },
  },
  {
    id: 'caddy',
    title: 'Caddy',
    lacks: ['compressed'],
    async prepare(place) {
      const caddy = await fromDebian('caddy', ['caddy']);
      const scratch = ['env', 'GOMAXPROCS=1', `HOME=${place.scratch}`];
      return {
        version: versionIn(await output([...caddy, 'version'])),
        command: (port) => [
          ...scratch,
          ...caddy,
          ...['run', '--adapter', 'caddyfile', '--config', written(place, 'Caddyfile', caddyfile(place, port))],
        ],
      };
    },
  },
  {
    id: 'http-proxy',
    title: 'http-proxy on Node',
    lacks: [...FILE_CASES, 'tls', 'tls-new', 'h2'],
    async prepare({ originPort }) {
      const modules = await fromNpm('http-proxy', HTTP_PROXY);
      const script = path.join(import.meta.dirname, 'http-proxy.ts');
      return {
        version: HTTP_PROXY,
        command: (port) => [process.execPath, script, modules, String(port), String(originPort)],
      };
    },
  },
];

/** What all of them are given. */
export function makePlace(originPort: number): Place {
  const scratch = path.join(work, 'web');
  const files = path.join(scratch, 'files');
  mkdirSync(files, { recursive: true });
  for (const [name, size] of Object.entries(FILES)) writeFileSync(path.join(files, name), pageOf(size));
  writeFileSync(path.join(files, 'index.html'), 'hello');
  const { cert, key } = makeSelfSigned(['localhost', '127.0.0.1']);
  const place: Place = {
    ...{ files, originPort, scratch },
    cert: path.join(scratch, 'cert.pem'),
    key: path.join(scratch, 'key.pem'),
    both: path.join(scratch, 'both.pem'),
  };
  writeFileSync(place.cert, cert);
  writeFileSync(place.key, key);
  writeFileSync(place.both, cert + key);
  return place;
}

async function ours(place: Place, hasAll: boolean): Promise<Prepared> {
  const executable = await packageOurs();
  return {
    version: /\S+ \(.*\)|\S+/.exec(await output([executable, '--version']))?.[0] ?? '',
    command: (port) => [
      executable,
      ...['web', '-q', '-c', written(place, hasAll ? 'all.toml' : 'vrypt.toml', vryptToml(place, port, hasAll))],
    ],
  };
}

function written({ scratch }: Place, name: string, text: string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, text);
  return file;
}

function versionIn(text: string): string {
  return /\d+\.\d+[\d.]*/.exec(text)?.[0] ?? 'unknown';
}
