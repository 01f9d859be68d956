/** What people and programs see of a server while it runs: names of requests, errors, metrics of all workers, the status page. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../cli/server-process.ts';
import { areInstalled } from '../installed.ts';
import { ask, makeFolder, startWeb } from './start-web.ts';

const hasPromtool = areInstalled('metrics by Prometheus itself', { promtool: 'prometheus' });
const hasChromium = areInstalled('the status page in a browser', { chromium: 'chromium' });

async function startOrigin(): Promise<{ port: number; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.end('from the origin');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, seen };
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(folder: string): Promise<ServerProcess> {
  const server = await ServerProcess.start(['web'], { cwd: folder });
  onTestFinished(async () => void (await server.kill()));
  return server;
}

describe('the name of a request', () => {
  const log = '[logging.access_log]\npath = "access.log"\nformat = "json"\nbuffer_size = 1\n';

  test('is the same in the log and for the upstream, whatever the client says', async () => {
    const { port, seen } = await startOrigin();
    const { get, folder } = await startWeb(`${log}[[sites]]\nproxy = "http://127.0.0.1:${port}"`);
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${trace}-b7ad6b7169203331-01`;
    await get('/', { headers: { 'X-Request-ID': 'of the client', traceparent } });
    const read = () => readFileSync(path.join(folder, 'access.log'), 'utf8');
    await expect.poll(read, { timeout: 10_000 }).toContain('\n');
    const line = JSON.parse(read());
    expect(line.trace_id).toBe(trace);
    expect(seen).toEqual([expect.objectContaining({ 'x-request-id': line.request_id, traceparent })]);
  });

  test("is that of a trusted proxy, and without a log it is nobody's business", async () => {
    const { port, seen } = await startOrigin();
    const site = `[[sites]]\nproxy = "http://127.0.0.1:${port}"\n`;
    const trusting = await startWeb(`server.trusted_proxies = ["127.0.0.1"]\n${log}${site}`);
    await trusting.get('/', { headers: { 'X-Request-ID': 'abc-1' } });
    const silent = await startWeb(site);
    await silent.get('/', { headers: { 'X-Request-ID': 'abc 2' } });
    expect(seen.map((fields) => fields['x-request-id'])).toEqual(['abc-1', 'abc 2']);
  });
});

test('the error log tells of upstreams that fail', async () => {
  const { get, folder } = await startWeb(
    '[logging.error_log]\npath = "logs/error.log"\n[[sites]]\nproxy = "http://127.0.0.1:1"',
  );
  expect((await get('/gone')).status).toBe(502);
  await expect
    .poll(() => readFileSync(path.join(folder, 'logs/error.log'), 'utf8'), { timeout: 10_000 })
    .toMatch(/^\d{4}-\d\d-\d\dT\S+Z worker 0: .*127\.0\.0\.1:1 .*GET \/gone: 502\n$/);
});

test('a full disk costs lines of the log, never requests', async () => {
  const { get, folder } = await startWeb(
    '[logging]\naccess_log = { path = "/dev/full", buffer_size = 1 }\nerror_log = { path = "error.log" }\n[[sites]]\nrespond = "1"',
  );
  for (let i = 0; i < 20; i++) expect((await get('/')).status).toBe(200);
  await expect
    .poll(() => readFileSync(path.join(folder, 'error.log'), 'utf8'), { timeout: 10_000 })
    .toContain('/dev/full cannot be written: ENOSPC');
});

const APP = `
require('node:http').createServer((request, response) => {
  if (request.url === '/ready') response.statusCode = Date.now() - started > 300 ? 200 : 503;
  response.end('app');
}).listen(process.env.PORT, '127.0.0.1');
const started = Date.now();
`;

async function startWatched() {
  const [app, origin] = [await freePort(), await startOrigin()];
  const folder = makeFolder({
    'app.cjs': APP,
    'vrypt.toml': `
[server]
http_port = 0
host = "127.0.0.1"
workers = 2
[metrics]
listen = "127.0.0.1:0"
[backends.app]
url = "http://127.0.0.1:${app}"
health_check = "/ready"
health_interval = "100ms"
process = { command = ${JSON.stringify(process.execPath)}, args = ["app.cjs"], working_dir = "." }
[backends.origin]
url = "http://127.0.0.1:${origin.port}"
[[sites]]
proxy = "origin"
[[sites.routes]]
path = "/app"
proxy = "app"
`,
  });
  const server = await start(folder);
  const [, web = 0] = (/http:\S+?:(\d+),/.exec(server.stdout) ?? []).map(Number);
  const metrics = async () => (await ask('/metrics', { port: server.port })).text;
  return { server, web, metrics };
}

test('an application gets no request before it says that it is ready', async () => {
  const { web } = await startWatched();
  // The first that anybody could send.
  expect(await ask('/app', { port: web })).toMatchObject({ status: 200, text: 'app' });
});

test('metrics add up upstreams over all workers, and tell what applications take', async () => {
  const { server, web, metrics } = await startWatched();
  // The worker that nobody has asked is counted too.
  await expect.poll(metrics, { timeout: 10_000 }).toMatch(/^vrypt_upstream_healthy\{backend="origin",.*\} 1$/m);
  // Each on a connection of its own: the kernel spreads them over both workers.
  for (let i = 0; i < 20; i++) await ask('/', { port: web });
  await expect.poll(metrics, { timeout: 10_000 }).toMatch(/^vrypt_upstream_requests_total\{backend="origin",.*\} 20$/m);
  const text = await metrics();
  expect(text).toMatch(/^vrypt_upstream_healthy\{backend="origin",.*\} 1$/m);
  expect(text).toMatch(/^vrypt_application_up\{application="app"\} 1$/m);
  expect(text).toMatch(/^vrypt_application_memory_bytes\{application="app"\} [1-9]\d{6,}$/m);
  expect(text).toMatch(/^vrypt_application_processes\{application="app"\} 1$/m);
  if (hasPromtool) {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  }
  expect(server.stderr).toBe('');
});

test.skipIf(!hasChromium)('the status page is live in a browser, and breaks none of its own rules', async () => {
  const { server, web } = await startWatched();
  await ask('/', { port: web });
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(`http://127.0.0.1:${server.port}/status`);
  await page.getByText('connections').waitFor();
  const rows = (id: string) => page.locator(`#${id} tbody tr`).allInnerTexts();
  expect(await rows('applications')).toEqual([expect.stringMatching(/^app\s+up\s+0/)]);
  expect(await rows('upstreams')).toEqual([expect.stringContaining('healthy'), expect.stringContaining('healthy')]);
  for (let i = 0; i < 3; i++) await ask('/', { port: web });
  await expect.poll(() => rows('requests'), { timeout: 30_000 }).toEqual([expect.stringMatching(/^GET\s+200\s+4$/)]);
  // A browser asks for an icon by itself.
  expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
});

test('Strict-Transport-Security goes over TLS only', async () => {
  const { get, ports } = await startWeb(
    '[server]\nhttp_port = 0\nhttps_port = 0\n[ssl]\nhsts = "365d"\nhsts_subdomains = true\n[[sites]]\nrespond = "1"',
  );
  expect((await get('/')).headers).not.toHaveProperty('strict-transport-security');
  const curl = ['-sk', '-o', '/dev/null', '-w', '%header{strict-transport-security}'];
  const child = await import('node:child_process');
  const said = await new Promise((resolve) =>
    child.execFile('curl', [...curl, `https://127.0.0.1:${ports[1]}/`], (_, stdout) => resolve(stdout)),
  );
  expect(said).toBe('max-age=31536000; includeSubDomains');
});

test('after a reload that fails, the certificates of before are still in use', async () => {
  const blocked = createTcpServer();
  await new Promise<void>((resolve) => blocked.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void blocked.close());
  const toml = '[server]\nhttp_port = 0\nhttps_port = 0\n[ssl]\ndirectory = "one"\ndomains = ["one.example"]\n';
  const site = '[[sites]]\nrespond = "1"\n';
  const { ports, take, folder } = await startWeb(`${toml}${site}`);
  const { makeSelfSigned } = await import('../../src/tls/self-signed.ts');
  const { cert, key } = makeSelfSigned(['two.example']);
  writeFileSync(path.join(folder, 'two.pem'), cert + key);
  const taken = (blocked.address() as AddressInfo).port;
  const other = `${toml.replace('http_port = 0', `http_port = ${taken}`)}cert = "two.pem"\nkey = "two.pem"\n${site}`;
  await expect(take(other)).rejects.toThrow();
  const tls = await import('node:tls');
  const names = await new Promise((resolve, reject) => {
    const socket = tls.connect(
      { host: '127.0.0.1', port: ports[1] as number, rejectUnauthorized: false, servername: 'two.example' },
      () => resolve(socket.getPeerCertificate().subjectaltname),
    );
    socket.on('error', reject);
  });
  expect(names).toContain('one.example');
});
