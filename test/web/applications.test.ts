import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Applications } from '../../src/web/applications.ts';
import { ServerProcess } from '../cli/server-process.ts';
import { freePort } from './free-port.ts';
import { ask, makeFolder, readToml } from './start-web.ts';

const APP = `
import { createServer } from 'node:http';
const server = createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  response.end(JSON.stringify({ pid: process.pid, env: process.env }));
});
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('up'));
`;

async function setUp() {
  const folder = makeFolder({ 'app.mjs': APP });
  const port = await freePort();
  const reports: string[] = [];
  const applications = new Applications(
    (text) => reports.push(text),
    () => {},
  );
  onTestFinished(() => applications.stop());
  const toml = (more = '', args = '["app.mjs"]') => `
[backends."app.example"]
url = "http://127.0.0.1:${port}"
process = { command = "${process.execPath}", args = ${args}, working_dir = ".", log = "app.log", restart_delay = "10ms", max_restarts = 2, env = { A = "1" }${more} }
`;
  const take = (text: string) => applications.take(readToml(text, folder));
  const asked = async () => JSON.parse((await ask('/', { port })).text);
  return { folder, port, reports, applications, toml, take, asked };
}

test('an application gets its environment and nothing else, and what it prints is kept', async () => {
  const { folder, take, toml, asked, port } = await setUp();
  process.env['VRYPT_TEST_SECRET'] = 'x';
  await take(toml());
  const { env } = await asked();
  expect(env).toMatchObject({ A: '1', PORT: String(port) });
  expect(env).not.toHaveProperty('VRYPT_TEST_SECRET');
  await expect.poll(() => readFileSync(path.join(folder, 'app.log'), 'utf8'), { timeout: 10_000 }).toBe('up\n');
});

test('one that ends is started again, and given up after its limit', async () => {
  const { take, toml, asked, reports, port, folder } = await setUp();
  await take(toml());
  const { pid } = await asked();
  await ask('/die', { port }).catch(() => {});
  await expect.poll(async () => (await asked().catch(() => ({ pid }))).pid, { timeout: 30_000 }).not.toBe(pid);
  expect(reports[0]).toBe('app.example: ended (exit code 3), is started again in 10 ms');
  writeFileSync(path.join(folder, 'app.mjs'), 'process.exit(4)');
  await ask('/die', { port }).catch(() => {});
  await expect
    .poll(() => reports.at(-1), { timeout: 30_000 })
    .toMatch(/ended \(exit code 4\), was started again 2 times within 600 s: given up/);
});

test('a new configuration replaces what has changed, and leaves the rest alone', async () => {
  const { take, toml, asked } = await setUp();
  await take(toml());
  const { pid } = await asked();
  await take(toml());
  expect((await asked()).pid).toBe(pid);
  await take(toml(', max_restart_delay = "3s"'));
  expect((await asked()).pid).not.toBe(pid);
});

test('one that ignores SIGTERM is killed, with what it has started', async () => {
  const { take, toml, asked, applications, folder, port } = await setUp();
  writeFileSync(path.join(folder, 'app.mjs'), `process.on('SIGTERM', () => {});\n${APP}`);
  await take(toml(', stop_timeout = "100ms"'));
  await asked();
  await applications.stop();
  await expect(ask('/', { port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});

test('a command that is not there is reported', async () => {
  const { take, toml, reports } = await setUp();
  await take(toml().replace(process.execPath, '/none/such'));
  expect(reports.join()).toContain('/none/such cannot be started');
});

test('so is a folder that is not there, by its own name', async () => {
  const { take, toml, reports } = await setUp();
  await take(toml().replace('working_dir = "."', 'working_dir = "/none/such"'));
  expect(reports.join()).toContain('cannot be started: working_dir must be a directory, got /none/such');
});

test('a server that is killed takes its applications along', async () => {
  const { folder, toml, asked, port } = await setUp();
  writeFileSync(path.join(folder, 'vrypt.toml'), `server.http_port = 0\nserver.host = "127.0.0.1"\n${toml()}`);
  const server = await ServerProcess.start(['web'], { cwd: folder });
  await asked();
  server.child.kill('SIGKILL');
  await server.ended;
  const refused = () =>
    ask('/', { port }).then(
      () => '',
      (error) => error.code,
    );
  await expect.poll(refused, { timeout: 30_000 }).toBe('ECONNREFUSED');
});
