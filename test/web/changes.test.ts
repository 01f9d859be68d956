/** What is seen of a server that nobody is connected to: upstreams that change, applications and certificates that go wrong. */

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ServerProcess } from '../cli/server-process.ts';
import { freePort } from './free-port.ts';
import { makeFolder, startWeb } from './start-web.ts';

test('an upstream whose health changes is known at once, without a connection that would have ticks', async () => {
  let status = 200;
  const server = createServer((_, response) => response.writeHead(status).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { shared } = await startWeb(`
metrics.listen = "off"
[[sites]]
proxy = "app"
[backends.app]
url = "http://127.0.0.1:${(server.address() as AddressInfo).port}"
health_check = "/"
health_interval = "100ms"
health_rise = 1
health_fall = 1
`);
  // The first cell of an upstream.
  const isHealthy = () => shared.upstreams[0];
  await expect.poll(isHealthy, { timeout: 30_000 }).toBe(1);
  status = 500;
  await expect.poll(isHealthy, { timeout: 30_000 }).toBe(0);
  status = 200;
  await expect.poll(isHealthy, { timeout: 30_000 }).toBe(1);
});

test('the error log tells of applications and certificates too', async () => {
  const port = await freePort();
  const folder = makeFolder({ 'public/index.html': 'x' });
  writeFileSync(
    path.join(folder, 'vrypt.toml'),
    `
[server]
host = "127.0.0.1"
http_port = 0
https_port = 0
[ssl]
self_signed = true
domains = ["localhost"]
[logging]
error_log = { path = "error.log" }
[[sites]]
proxy = "app"
[backends.app]
url = "http://127.0.0.1:${port}"
process = { command = "/none/such", start_timeout = "100ms", max_restarts = 1, restart_delay = "10ms" }
`,
  );
  const server = await ServerProcess.start(['web'], { cwd: folder });
  onTestFinished(async () => void (await server.kill()));
  const read = () => readFileSync(path.join(folder, 'error.log'), 'utf8');
  await expect.poll(read, { timeout: 30_000 }).toMatch(/^\d{4}-\S+ server: .*certificate is one of our own/m);
  await expect.poll(read, { timeout: 30_000 }).toMatch(/^\d{4}-\S+ server: app: \/none\/such cannot be started/m);
});

test.each([['web'], ['files'], ['proxy', 'localhost:1']])(
  '%s is refused worker processes, with the reason',
  async (...command) => {
    const folder = makeFolder({ 'vrypt.toml': '[[sites]]\nrespond = "1"\n' });
    const { code, stderr } = await new ServerProcess([...command, '--isolation', 'process'], { cwd: folder }).ended;
    expect(stderr).toBe(
      'vrypt-server: --isolation must be thread here: workers share limits, counts and the keys of TLS tickets in their memory, got "process"\n',
    );
    expect(code).toBe(2);
  },
);
