/** The environment, the working directory and signals cannot make the packaged executable do anything else. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServerProcess } from '../cli/server-process.ts';
import { RawClient } from '../engine/raw-client.ts';
import { GET, isServed } from './latency.ts';
import { type Finding, finding, note, type Proof } from './proof.ts';

const NOBODY = '65534';
/** Where Node's debugger would listen. */
const INSPECTOR_PORT = 9229;

export const security: Proof = {
  title:
    'the process: no debugger, no foreign code, listens only on --host, runs as the user nobody on a read-only root',
  async run({ command, isPackaged }) {
    if (!isPackaged) return [note('skipped', 'requires the packaged executable: npm run package')];
    const executable = command[0] as string;
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-faults-'));
    try {
      return [
        ...(await fromOutside(executable, folder)),
        ...(await reachable(executable)),
        ...(await asNobody(executable, folder)),
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Everything that makes Node load code, write files or open a debugger. */
async function fromOutside(executable: string, folder: string): Promise<Finding[]> {
  const mark = path.join(folder, 'loaded');
  const evil = path.join(folder, 'evil.cjs');
  const code = `require('node:fs').appendFileSync(${JSON.stringify(mark)}, __filename + '\\n');`;
  writeFileSync(evil, code);
  const work = path.join(folder, 'work');
  for (const name of ['commander', 'net', 'node:net', 'fs', 'worker_threads']) {
    const module = path.join(work, 'node_modules', name);
    mkdirSync(module, { recursive: true });
    writeFileSync(path.join(module, 'index.js'), code);
    writeFileSync(path.join(module, 'package.json'), `{ "name": ${JSON.stringify(name)}, "main": "index.js" }`);
  }
  writeFileSync(
    path.join(work, 'package.json'),
    '{ "type": "module", "main": "index.js", "imports": { "#x": "./index.js" } }',
  );
  for (const name of ['index.js', 'main.js', 'vrypt-server.cjs', 'vrypt-server.js', '.noderc.js']) {
    writeFileSync(path.join(work, name), code);
  }
  writeFileSync(path.join(work, '.env'), `NODE_OPTIONS=--require ${evil}\nPORT=1\n`);
  writeFileSync(path.join(work, 'node.config.json'), `{ "nodeOptions": { "require": [${JSON.stringify(evil)}] } }`);
  const cache = path.join(folder, 'cache');
  const environment = {
    NODE_OPTIONS: `--require ${evil} --inspect=127.0.0.1:${INSPECTOR_PORT} --env-file=.env`,
    NODE_PATH: path.join(work, 'node_modules'),
    NODE_COMPILE_CACHE: cache,
    NODE_V8_COVERAGE: cache,
    NODE_REDIRECT_WARNINGS: path.join(folder, 'warnings'),
    NODE_DEBUG: 'net,module',
    NODE_DEBUG_NATIVE: 'all',
    NODE_EXTRA_CA_CERTS: evil,
    NODE_REPL_EXTERNAL_MODULE: evil,
    NODE_INSPECT_RESUME_ON_START: '1',
    NODE_PENDING_DEPRECATION: '1',
    PKG_EXECPATH: 'PKG_INVOKE_NODEJS',
    SSLKEYLOGFILE: path.join(folder, 'keys'),
    OPENSSL_CONF: evil,
    LD_PRELOAD: path.join(folder, 'nothing.so'),
  };
  const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '2', '--max-connections', '100'], {
    command: [executable],
    environment,
    cwd: work,
  });
  try {
    const served = await isServed(server.port, 2000);
    server.signal('SIGUSR1');
    const servedAfter = await isServed(server.port, 2000);
    const ports = listeningPorts(server.pid);
    const { code, stderr } = await server.stop();
    const loaded = existsSync(mark) ? readFileSync(mark, 'utf8').trim() : 'none';
    const written = [cache, environment.NODE_REDIRECT_WARNINGS, environment.SSLKEYLOGFILE].filter((file) =>
      existsSync(file),
    );
    const warnings = Array.from(stderr.matchAll(/^\(node:\d+\) (.*)$/gm), (match) => match[1]);
    return [
      finding('code loaded from environment or working directory', loaded, 'none', loaded === 'none'),
      finding(
        'files written for NODE_COMPILE_CACHE, coverage, warnings, keys',
        written.join(', ') || 'none',
        'none',
        written.length === 0,
      ),
      note('printed because of NODE_DEBUG and the like', warnings.join('; ') || 'nothing'),
      finding(
        'ports open with --inspect in NODE_OPTIONS and after SIGUSR1',
        ports.join(', '),
        `only ${server.port}`,
        ports.length > 0 && ports.every((port) => port === server.port),
      ),
      finding(
        'served before and after SIGUSR1, exit code',
        `${served}, ${servedAfter}, ${code}`,
        'true, true, 0',
        served && servedAfter && code === 0,
      ),
    ];
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}

/** TCP ports that the process listens on, from the kernel's tables. */
function listeningPorts(pid: number): number[] {
  const sockets = execFileSync('sh', ['-c', `ls -l /proc/${pid}/fd`], { encoding: 'utf8' });
  const inodes = new Set(Array.from(sockets.matchAll(/socket:\[(\d+)\]/g), (match) => match[1]));
  const ports = new Set<number>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    if (!existsSync(table)) continue;
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A' && inodes.has(fields[9])) ports.add(Number.parseInt(fields[1]?.split(':')[1] ?? '', 16));
    }
  }
  return [...ports];
}

async function reachable(executable: string): Promise<Finding[]> {
  const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1'], { command: [executable] });
  try {
    const answers = await Promise.all(
      ['127.0.0.1', '127.0.0.2', '::1'].map(async (host) => {
        try {
          const client = await RawClient.connect(server.port, { host });
          const { status } = await client.send(GET).response();
          client.close();
          return `${host} ${status}`;
        } catch (error) {
          return `${host} ${(error as NodeJS.ErrnoException).code}`;
        }
      }),
    );
    const isMet = answers[0] === '127.0.0.1 200' && answers.slice(1).every((answer) => !answer.includes('200'));
    return [finding('--host 127.0.0.1 reached at', answers.join(', '), 'only there', isMet)];
  } finally {
    await server.kill();
  }
}

/** A read-only root with nothing but the executable, not even /proc, and without capabilities. */
async function asNobody(executable: string, folder: string): Promise<Finding[]> {
  const what = 'served as the user nobody, without capabilities, in an empty read-only root';
  if (process.getuid?.() !== 0) return [note(what, 'skipped: requires root')];
  const root = path.join(folder, 'root');
  mkdirSync(root);
  copyFileSync(executable, path.join(root, 'vrypt-server'));
  chmodSync(path.join(root, 'vrypt-server'), 0o555);
  const script = [
    'mount --bind "$0" "$0"',
    'mount -o remount,bind,ro,nosuid,nodev "$0"',
    `exec chroot --userspec=${NOBODY}:${NOBODY} --groups= "$0" /vrypt-server "$@"`,
  ].join(' && ');
  const command = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, root];
  const probe = spawnSync('unshare', ['--mount', 'true']);
  if (probe.status !== 0) return [note(what, 'skipped: no mount namespaces here')];
  const server = await ServerProcess.start(['-p', '0', '-H', '127.0.0.1', '-w', '2'], { command });
  try {
    const served = await isServed(server.port, 2000);
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1];
    const capabilities = /^CapEff:\s+(\w+)/m.exec(status)?.[1];
    const { code } = await server.stop();
    const isMet = served && uid === NOBODY && Number(`0x${capabilities}`) === 0 && code === 0;
    return [
      finding(
        what,
        `served ${served}, uid ${uid}, CapEff ${capabilities}, exit code ${code}`,
        'true, 65534, 0, 0',
        isMet,
      ),
    ];
  } finally {
    if (!server.hasEnded) await server.kill();
  }
}
