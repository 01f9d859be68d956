/** The servers that are compared, one row each: what they are, and how they are started. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageNpm } from '../../../scripts/steps/package-npm.ts';
import { compile, fromDebian, fromNpm, packageOurs } from '../fetch.ts';
import { work } from '../places.ts';
import { FILES } from './contests.ts';

export type Command = (port: number) => string[];

const peers = path.join(import.meta.dirname, 'peers');
const files = path.join(work, 'files');
const VERSIONS = { bun: '1.4.5', deno: '2.9.6', '@hono/node-server': '2.1.9' } as const;

/** How to start each; rejects with the reason if it is unavailable on this machine. `before`: an executable to compare with. */
export const SERVERS: Readonly<Record<string, (before: string | undefined) => Promise<Command>>> = {
  plain: async () => plain(await packageOurs()),
  before: async (before) => {
    if (before === undefined) throw new Error('--before names the executable to compare with');
    return plain(before);
  },
  floor: async () => {
    const file = await compile('floor');
    return (port) => [file, `${port}`, '1'];
  },
  fast: () => ours('fast'),
  fetch: () => ours('fetch'),
  hono: () => ours('hono'),
  bun: () => bun('fetch'),
  'bun-hono': () => bun('hono'),
  deno: async () => {
    const modules = await fromNpm('deno', VERSIONS.deno);
    const arch = process.arch === 'x64' ? 'x64' : 'arm64';
    const file = path.join(modules, '@deno', `linux-${arch}-glibc`, 'deno');
    return (port) => [file, 'run', '-A', path.join(peers, 'deno.ts'), `${port}`];
  },
  node: async () => node('http'),
  ws: async () => node('ws'),
  'node-hono': async () => {
    const modules = await fromNpm('@hono/node-server', VERSIONS['@hono/node-server']);
    const entry = path.join(modules, '@hono/node-server/dist/index.mjs');
    return (port) => ['env', `HONO_NODE_SERVER=${entry}`, ...node('hono')(port)];
  },
  nginx: async () => {
    const nginx = await fromDebian('nginx', ['nginx']);
    makeFiles();
    const folder = path.join(work, 'servers/nginx-files');
    mkdirSync(folder, { recursive: true });
    return (port) => {
      const file = path.join(folder, `${port}.conf`);
      writeFileSync(file, nginxConfiguration(folder, port));
      return [...nginx, '-e', 'stderr', '-p', folder, '-c', file];
    };
  },
};

function plain(executable: string): Command {
  return (port) => [executable, '-q', '-p', `${port}`, '-w', '1'];
}

let packed: Promise<number> | undefined;

async function ours(level: string): Promise<Command> {
  packed ??= packageNpm();
  await packed;
  makeFiles();
  const entry = path.join(work, '../npm/index.js');
  const variables = [`VRYPT_LIBRARY=${entry}`, `BENCH_FILES=${files}`];
  return (port) => ['env', ...variables, process.execPath, path.join(peers, 'ours.ts'), `${port}`, level];
}

async function bun(level: string): Promise<Command> {
  const modules = await fromNpm('bun', VERSIONS.bun);
  const file = path.join(modules, '@oven', `bun-linux-${process.arch === 'x64' ? 'x64' : 'aarch64'}`, 'bin/bun');
  return (port) => [file, path.join(peers, 'bun.ts'), `${port}`, level];
}

function node(kind: string): Command {
  return (port) => [process.execPath, path.join(peers, 'node.ts'), `${port}`, kind];
}

function makeFiles(): void {
  if (existsSync(files)) return;
  mkdirSync(files, { recursive: true });
  for (const name of FILES)
    writeFileSync(path.join(files, `${name}.txt`), 'x'.repeat(Number.parseInt(name, 10) * 1000));
}

/** Descriptors are kept, as our cache keeps what is small. */
function nginxConfiguration(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
worker_processes 1;
pid ${folder}/pid-${port};
error_log stderr;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  open_file_cache max=1000 inactive=60s;
  open_file_cache_valid 1s;
  keepalive_requests 1000000000;
  default_type text/plain;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}
  server {
    listen ${port} reuseport;
    location = / { return 200 "ready"; }
    location /files/ { alias ${files}/; }
  }
}
`;
}
