/**
 * Upstreams that others wrote, gunicorn and node:https, and names that move; by curl. Takes gunicorn, openssl and curl from Debian.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ProxySettings } from '../../src/proxy/settings.ts';
import { areInstalled } from '../installed.ts';
import { startProxy, upstream } from './start-proxy.ts';

const run = promisify(execFile);

function makeFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'proxy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a program and waits until it accepts connections. */
async function startPeer(port: number, command: string, args: readonly string[], cwd?: string): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
  let said = '';
  let failure: string | null = null;
  child.stderr.on('data', (bytes) => {
    said += bytes;
  });
  child.on('error', (error) => {
    failure = String(error);
  });
  child.on('exit', (code) => {
    failure = `it ended with ${code}: ${said}`;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    if (child.exitCode === null && child.pid !== undefined) child.kill('SIGTERM');
    await ended;
  });
  while (failure === null && !(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 30));
  if (failure !== null) throw new Error(`${command}: ${failure}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** What curl gets: the body, then the status. */
async function curl(port: number, target: string, ...args: string[]): Promise<string> {
  const format = ' %{http_code}';
  const { stdout } = await run('curl', ['-s', '-m', '30', '-w', format, ...args, `http://127.0.0.1:${port}${target}`], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

test.skipIf(!areInstalled('gunicorn behind the proxy', { curl: 'curl', gunicorn: 'gunicorn' }))(
  'gunicorn behind the proxy: WSGI gets the client and the content',
  async () => {
    const folder = makeFolder();
    const port = await freePort();
    writeFileSync(
      path.join(folder, 'app.py'),
      `def app(environ, start_response):
    n = len(environ['wsgi.input'].read())
    text = '%s %s %d' % (environ['REQUEST_METHOD'], environ.get('HTTP_X_FORWARDED_FOR'), n)
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [text.encode()]
`,
    );
    await startPeer(port, 'gunicorn', ['-b', `127.0.0.1:${port}`, 'app:app'], folder);
    const proxy = await startProxy(port);
    const content = path.join(folder, 'content');
    writeFileSync(content, 'v'.repeat(300_000));
    expect(await curl(proxy.port, '/', '-H', 'X_Forwarded_For: 6.6.6.6')).toBe('GET 127.0.0.1 0 200');
    expect(await curl(proxy.port, '/', '--data-binary', `@${content}`)).toBe('POST 127.0.0.1 300000 200');
    const chunked = ['-H', 'Transfer-Encoding: chunked', '--data-binary', `@${content}`];
    expect(await curl(proxy.port, '/', ...chunked)).toBe('POST 127.0.0.1 300000 200');
    expect(proxy.failures).toEqual([]);
  },
);

describe.skipIf(!areInstalled('upstreams with TLS', { curl: 'curl', openssl: 'openssl' }))(
  'an upstream with TLS',
  () => {
    async function startSecure(): Promise<{ port: number; ca: string }> {
      const folder = makeFolder();
      const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=origin.test', '-addext', 'subjectAltName=DNS:origin.test'];
      await run('openssl', [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        key,
        '-out',
        cert,
        ...subject,
      ]);
      const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
        response.end(`secret for ${request.headers.host}`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return { port: (server.address() as { port: number }).port, ca: cert };
    }

    const start = async (tls: Partial<ProxySettings['tls']>, port: number, host = 'origin.test') => {
      const lookUp = async () => ({ addresses: ['127.0.0.1'], ttlMs: undefined });
      const settings = { tls: { verifies: true, caFile: null, serverName: null, ...tls } };
      return startProxy([upstream(port, { protocol: 'https', host })], { settings, lookUp });
    };

    test('is asked if its certificate is good', async () => {
      const { port, ca } = await startSecure();
      const proxy = await start({ caFile: ca }, port);
      expect(await curl(proxy.port, '/?[1-3]', '-H', 'Host: a')).toBe('secret for a 200'.repeat(3));
      expect(proxy.failures).toEqual([]);
      expect(proxy.proxy.states()[0]?.counters.connections).toBe(1);
    });

    test('is not asked if nobody vouches for it, or for its name', async () => {
      const { port, ca } = await startSecure();
      const unknown = await start({}, port);
      expect(await curl(unknown.port, '/', '-o', '/dev/null')).toBe(' 502');
      expect(unknown.failures).toMatchObject([{ reason: 'connectFailed', detail: 'DEPTH_ZERO_SELF_SIGNED_CERT' }]);
      const other = await start({ caFile: ca }, port, 'other.test');
      expect(await curl(other.port, '/', '-o', '/dev/null')).toBe(' 502');
      expect(other.failures).toMatchObject([{ reason: 'connectFailed', detail: 'ERR_TLS_CERT_ALTNAME_INVALID' }]);
    });

    test('is asked by another name, or unverified, if the settings say so', async () => {
      const { port, ca } = await startSecure();
      const named = await start({ caFile: ca, serverName: 'origin.test' }, port, '127.0.0.1');
      expect(await curl(named.port, '/', '-o', '/dev/null')).toBe(' 200');
      const unverified = await start({ verifies: false }, port);
      expect(await curl(unverified.port, '/', '-o', '/dev/null')).toBe(' 200');
    });
  },
);

test('a name is looked up again, and its new address is used', async () => {
  const listen = async (address: string, port: number) => {
    const server = createServer((_request, response) => response.setHeader('Connection', 'close').end(address));
    await new Promise<void>((resolve) => server.listen(port, address, () => resolve()));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return (server.address() as { port: number }).port;
  };
  const port = await listen('127.0.0.2', 0);
  await listen('127.0.0.3', port);
  let address = '127.0.0.2';
  const lookUp = async () => ({ addresses: [address], ttlMs: 0 });
  const proxy = await startProxy([upstream(port, { host: 'moving.test' })], { lookUp });
  expect(await curl(proxy.port, '/')).toBe('127.0.0.2 200');
  address = '127.0.0.3';
  let got = '';
  while (!got.startsWith(address)) got = await curl(proxy.port, '/');
  expect(got).toBe('127.0.0.3 200');
});
