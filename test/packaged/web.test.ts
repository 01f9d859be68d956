/** The commands of the web server in the archive that people download: each is asked over real sockets. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { archiveFolder, artifactPath, tarball } from '../../scripts/targets/artifacts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { ServerProcess } from '../cli/server-process.ts';
import { type Asked, ask, makeFolder } from '../web/start-web.ts';

const triple = 'x86_64-unknown-linux-musl';
const SAMPLES = path.join(import.meta.dirname, '../web/samples');

describe.skipIf(inject('unavailable') !== '')(triple, () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'vrypt-packaged-web-'));
  const target = readTargets().targets.find((row) => row.triple === triple);
  if (target === undefined) throw new Error(`no ${triple}`);
  const command = [path.join(parent, archiveFolder(target), 'vrypt-server')];

  beforeAll(() => {
    execFileSync('tar', ['-xzf', artifactPath(tarball(target))], { cwd: parent });
  });
  afterAll(() => rmSync(parent, { recursive: true }));

  async function start(args: readonly string[], cwd: string): Promise<ServerProcess> {
    const server = await ServerProcess.start(args, { command, cwd });
    onTestFinished(async () => void (await server.kill()));
    return server;
  }

  const run = (args: readonly string[], cwd: string) => new ServerProcess(args, { command, cwd }).ended;

  test('files, and proxy before it, WebSockets included', async () => {
    const large = Buffer.alloc(3_000_000, 'large ');
    const folder = makeFolder({ 'public/index.html': '<p>hello', 'public/large': large });
    const files = await start(['files', 'public', '0', '-H', '127.0.0.1', '-w', '2'], folder);
    const proxy = await start(['proxy', `127.0.0.1:${files.port}`, '0', '-H', '127.0.0.1', '-w', '2'], folder);
    for (const { port } of [files, proxy]) {
      expect((await ask('/', { port })).text).toBe('<p>hello');
      expect((await ask('/large', { port })).bytes.equals(large)).toBe(true);
      expect(await ask('/none', { port })).toMatchObject({ status: 404 });
    }

    const app = createServer((request, response) => request.pipe(response));
    new WebSocketServer({ server: app }).on('connection', (socket) => {
      socket.on('message', (data) => socket.send(`you said ${data}`));
    });
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void app.close());
    const { port } = await start(['proxy', `127.0.0.1:${(app.address() as AddressInfo).port}`, '0'], folder);
    expect((await ask('/', { port, method: 'POST', body: 'content' })).text).toBe('content');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const said = new Promise((resolve) => socket.on('message', (data) => resolve(String(data))));
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send('hello');
    expect(await said).toBe('you said hello');
    socket.terminate();
  });

  test('web with TLS, logs, metrics and limits; read again without a restart', async () => {
    const toml = `
[server]
http_port = 0
https_port = 0
host = "127.0.0.1"
workers = 2
pid_file = "pid"
[ssl]
domains = ["localhost"]
[logging]
access_log = { path = "logs/access.log", format = "json", flush_interval = "10ms" }
[metrics]
listen = "off"
[security]
rate_limit = 100000
headers = { x_frame_options = "DENY" }
[[sites]]
respond = "first"
[[sites.routes]]
path = "/metrics"
serve = "metrics"
[[sites.routes]]
path = "/files/*"
files = "public"
`;
    const folder = makeFolder({ 'vrypt.toml': toml, 'public/a.txt': 'compress me '.repeat(500) });
    const server = await start(['web'], folder);
    const [, plain, secure] = (/http:\S+:(\d+), https:\S+:(\d+) \(2 workers\)/.exec(server.stdout) ?? []).map(Number);
    if (plain === undefined || secure === undefined) throw new Error(server.stdout);
    const get = (where: string, asked: Omit<Asked, 'port'> = {}) => ask(where, { port: plain, ...asked });
    expect(await get('/')).toMatchObject({ text: 'first', headers: { 'x-frame-options': 'DENY' } });
    expect(await get('/files/a.txt', { headers: { 'Accept-Encoding': 'zstd' } })).toMatchObject({
      status: 200,
      headers: { 'content-encoding': 'zstd' },
    });
    expect(await secureText(secure, 'http/1.1')).toMatch(/^HTTP\/1.1 200 [\s\S]*first$/);
    expect((await get('/metrics')).text).toContain('http_requests_total{method="GET",status="200"} 3\n');

    writeFileSync(path.join(folder, 'vrypt.toml'), toml.replace('"first"', '"second"'));
    expect(await run(['reload', '--pid-file', 'pid'], folder)).toMatchObject({ code: 0 });
    await server.printed('reloaded its configuration');
    expect((await get('/')).text).toBe('second');
    expect(await secureText(secure, 'http/1.1')).toMatch(/second$/);
    expect(await server.stop()).toMatchObject({ code: 0 });
    const lines = readFileSync(path.join(folder, 'logs/access.log'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).status)).toEqual(Array.from({ length: lines.length }, () => 200));
    expect(lines).toHaveLength(6);
  });

  test('check accepts the samples of the ancestor, and tells a fault by its line', async () => {
    for (const sample of ['application', 'balanced']) {
      const checked = await run(['check', '-c', path.join(SAMPLES, `${sample}.toml`)], parent);
      expect(checked).toMatchObject({ code: 0, stderr: '' });
    }
    const folder = makeFolder({ 'vrypt.toml': '[[sites]]\nfile = "x"\n' });
    expect(await run(['check'], folder)).toMatchObject({
      code: 1,
      stderr: 'vrypt.toml:2: sites[0].file is not a key; did you mean files?\n',
    });
  });

  test('the sample with an application starts it, and serves it with a certificate of its own and a warning', async () => {
    const port = await freePort();
    const folder = makeFolder({
      'app/server.js': `require('node:http').createServer((request, response) => response.end(process.env.NODE_ENV)).listen(process.env.PORT)`,
      'vrypt.toml': sampleFor({
        '= 8080': '= 0',
        '= 8443': '= 0',
        '"/app"': '"app"',
        ':3000': `:${port}`,
        'PORT = "3000"': `PORT = "${port}"`,
        'command = "node"': `command = ${JSON.stringify(process.execPath)}`,
        'zone_id = "…"': 'zone_id = "…"\napi_url = "http://127.0.0.1:9"',
      }),
    });
    const server = await start(['web'], folder);
    const [, secure = 0] = (/https:\S+:(\d+) \(/.exec(server.stdout) ?? []).map(Number);
    await expect
      .poll(() => secureText(secure, 'http/1.1', 'app.example.com'), { timeout: 30_000 })
      .toMatch(/^HTTP\/1.1 200 [\s\S]*production$/);
    expect(server.stderr).toContain('clients do not trust it');
    expect(await secureText(secure, 'http/1.1', 'other.example.com')).toMatch(/^HTTP\/1.1 421 /);
  });
});

function sampleFor(changes: Readonly<Record<string, string>>): string {
  let text = readFileSync(path.join(SAMPLES, 'application.toml'), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    if (!text.includes(from)) throw new Error(`no ${from} in the sample`);
    text = text.replace(from, to);
  }
  return text;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** All that the server sends for one request on one connection. */
function secureText(port: number, protocol: string, host = 'localhost'): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, servername: host, ALPNProtocols: [protocol], rejectUnauthorized: false };
    const socket = connect(options, () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}
