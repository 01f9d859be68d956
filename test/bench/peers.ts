/** The servers that are compared, one row each: how to obtain it, how to start it, what it cannot do. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { compile, fromDebian, fromNpm, output, packageOurs } from './fetch.ts';
import type { ModeId } from './modes.ts';
import { work } from './places.ts';

export interface Peer {
  readonly id: string;
  readonly title: string;
  /** Rejects with the reason if it is unavailable on this machine. */
  prepare(): Promise<Prepared>;
}

export interface Prepared {
  readonly version: string;
  command(port: number, workers: number): string[];
  /** Modes in which the comparison would be unfair, and why. */
  readonly lacks?: Partial<Record<ModeId, string>>;
  /** Remarks on figures. */
  readonly remarks?: Partial<Record<ModeId | 'memory', string>>;
}

export const OURS = 'vrypt';
export const FLOOR = 'floor';
/** The npm package contains the executable: its installation downloads nothing else. */
export const BUN = '1.4.5';
const BODY = 'Vrypt';
const ONE_WORKER = { workers: 'only measured with one worker' } as const;

export const PEERS: readonly Peer[] = [
  {
    id: OURS,
    title: 'vrypt-server',
    async prepare() {
      const executable = await packageOurs();
      const version = /\S+ \(.*\)|\S+/.exec(await output([executable, '--version']))?.[0] ?? '';
      return { version, command: (port, workers) => [executable, '-q', '-p', `${port}`, '-w', `${workers}`] };
    },
  },
  {
    id: FLOOR,
    title: 'floor (C, epoll)',
    async prepare() {
      const file = await compile('floor');
      return {
        version: versionIn(await output(['cc', '--version'])),
        command: (...args) => [file, ...args.map(String)],
      };
    },
  },
  {
    id: 'bun',
    title: 'Bun.serve',
    async prepare() {
      const modules = await fromNpm('bun', BUN);
      const arch = process.arch === 'x64' ? 'x64' : 'aarch64';
      const bun = path.join(modules, '@oven', `bun-linux-${arch}`, 'bin/bun');
      const script = path.join(import.meta.dirname, 'peers/bun.ts');
      return {
        version: versionIn(await output([bun, '--version'])),
        command: (...args) => [bun, script, ...args.map(String)],
        remarks: { close: 'TCP_DEFER_ACCEPT saves it a turn; closes without saying so, which wrk counts as errors' },
      };
    },
  },
  {
    id: 'node-http',
    title: 'node:http',
    async prepare() {
      const script = path.join(import.meta.dirname, 'peers/node-http.ts');
      return {
        version: process.versions.node,
        command: (...args) => [process.execPath, script, ...args.map(String)],
        lacks: { workers: 'a cluster hands connections over from one process' },
      };
    },
  },
  {
    id: 'nginx',
    title: 'nginx, return 200',
    async prepare() {
      const nginx = await fromDebian('nginx', ['nginx']);
      const folder = folderOf('nginx');
      return {
        version: versionIn(await output([...nginx, '-v'])),
        command(port, workers) {
          const file = configuration('nginx', port, workers, nginxConfiguration(folder, port, workers));
          return [...nginx, '-e', 'stderr', '-p', folder, '-c', file];
        },
      };
    },
  },
  {
    id: 'haproxy',
    title: 'HAProxy, return 200',
    async prepare() {
      const packages = ['haproxy', 'liblua5.3-0', 'libopentracing1', 'libopentracing-c-wrapper0'];
      const haproxy = await fromDebian('haproxy', packages);
      return {
        version: versionIn(await output([...haproxy, '-v'])),
        command(port, workers) {
          const file = configuration('haproxy', port, workers, haproxyConfiguration(port, workers));
          return [...haproxy, '-q', '-db', '-f', file];
        },
        remarks: { memory: 'takes two descriptors a connection: 10,000 are too many for a limit of 20,000' },
        lacks: ONE_WORKER,
      };
    },
  },
  {
    id: 'lighttpd',
    title: 'lighttpd, a file',
    async prepare() {
      const lighttpd = await fromDebian('lighttpd', ['lighttpd']);
      const folder = folderOf('lighttpd');
      writeFileSync(path.join(folder, 'index.txt'), BODY);
      return {
        version: versionIn(await output([...lighttpd, '-v'])),
        command(port, workers) {
          return [
            ...lighttpd,
            '-D',
            '-f',
            configuration('lighttpd', port, workers, lighttpdConfiguration(folder, port)),
          ];
        },
        lacks: ONE_WORKER,
      };
    },
  },
  {
    id: 'h2o',
    title: 'h2o, a file',
    async prepare() {
      const h2o = await fromDebian('h2o', ['h2o']);
      const folder = folderOf('h2o');
      writeFileSync(path.join(folder, 'index.txt'), BODY);
      const noPost = 'answers a POST for a file with 405';
      return {
        version: versionIn(await output([...h2o, '--version'])),
        command: (port, workers) => [...h2o, '-c', configuration('h2o', port, workers, h2oConfiguration(folder, port))],
        remarks: { close: 'TCP_DEFER_ACCEPT saves it a turn' },
        lacks: { ...ONE_WORKER, different: 'has no fixed answer to every path', post: noPost, chunked: noPost },
      };
    },
  },
];

function nginxConfiguration(folder: string, port: number, workers: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${folder}/pid-${port};
error_log stderr;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  default_type text/plain;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  server { listen ${port} reuseport backlog=4096; location / { return 200 "${BODY}"; } }
}
`;
}

function haproxyConfiguration(port: number, workers: number): string {
  return `
global
  nbthread ${workers}
  maxconn 9000
defaults
  mode http
  timeout client 300s
  timeout connect 5s
  timeout server 300s
frontend all
  bind 0.0.0.0:${port} backlog 4096
  http-request return status 200 content-type text/plain string ${BODY}
`;
}

function lighttpdConfiguration(folder: string, port: number): string {
  return `
server.document-root = "${folder}"
server.port = ${port}
server.max-connections = 16384
server.max-fds = 20000
server.max-keep-alive-requests = 0
server.max-keep-alive-idle = 300
mimetype.assign = ( ".txt" => "text/plain" )
server.modules = ( "mod_rewrite" )
url.rewrite-once = ( ".*" => "/index.txt" )
`;
}

function h2oConfiguration(folder: string, port: number): string {
  return `
listen: { host: 127.0.0.1, port: ${port} }
num-threads: 1
max-connections: 16384
http1-request-timeout: 300
hosts:
  default:
    paths:
      "/":
        file.dir: ${folder}
        file.index: [index.txt]
`;
}

function folderOf(id: string): string {
  const folder = path.join(work, 'servers', id);
  mkdirSync(folder, { recursive: true });
  return folder;
}

function configuration(id: string, port: number, workers: number, text: string): string {
  const file = path.join(folderOf(id), `${port}-${workers}.conf`);
  writeFileSync(file, text);
  return file;
}

function versionIn(text: string): string {
  return /\d+\.\d+[\d.]*/.exec(text)?.[0] ?? 'unknown';
}
