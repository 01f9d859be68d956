/** HTTP/3 of the executable that people download, by its configuration. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { archiveFolder, artifactPath, tarball } from '../../scripts/targets/artifacts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { ServerProcess } from '../cli/server-process.ts';
import { makeFolder } from '../web/start-web.ts';
import { Http3Parts, lack } from './start-http3.ts';

const triple = 'x86_64-unknown-linux-musl';

describe.skipIf(lack !== '' || inject('unavailable') !== '')(triple, { timeout: 120_000 }, () => {
  const target = readTargets().targets.find((row) => row.triple === triple);
  if (target === undefined) throw new Error(`no ${triple}`);
  let parts: Http3Parts;
  beforeAll(() => {
    parts = new Http3Parts(triple);
    execFileSync('tar', ['-xzf', artifactPath(tarball(target))], { cwd: parts.folder });
  }, 300_000);
  afterAll(() => parts.close());

  async function start(config: string): Promise<{ server: ServerProcess; folder: string }> {
    const folder = makeFolder({ 'public/index.html': '<p>hello', 'v.toml': config });
    const command = [path.join(parts.folder, archiveFolder(target as NonNullable<typeof target>), 'vrypt-server')];
    const server = await ServerProcess.start(['web', '--config', 'v.toml'], { command, cwd: folder });
    onTestFinished(async () => void (await server.kill()));
    return { server, folder };
  }

  test('two workers serve it beside HTTP/1.1 and 2, say that it is experimental, and log it', async () => {
    const { server, folder } = await start(`
[server]
host = "127.0.0.1"
enable_http = false
https_port = 0
workers = 2
[ssl]
http3 = true
[logging]
access_log = { path = "access.log", buffer_size = 1 }
[[sites]]
files = "public"
`);
    expect(server.stderr).toContain('vrypt-server: HTTP/3 is experimental\n');
    const { answers } = await parts.ask(server.port, [
      { path: '/' },
      { path: '/index.html', fields: { range: 'bytes=1-1' } },
      { path: '/none' },
    ]);
    expect(answers.map(({ status, text }) => [status, text.slice(0, 8)])).toEqual([
      [200, '<p>hello'],
      [206, 'p'],
      [404, '404 Not '],
    ]);
    const there = `https://127.0.0.1:${server.port}/`;
    const head = execFileSync('curl', ['-skI', there], { encoding: 'utf8' });
    expect(head).toContain(`alt-svc: h3=":${server.port}"; ma=86400`);
    server.child.kill('SIGTERM');
    expect((await server.ended).code).toBe(0);
    const log = readFileSync(path.join(folder, 'access.log'), 'utf8');
    expect(log).toContain('"GET /index.html HTTP/3" 206 1');
    expect(log).toContain('"HEAD / HTTP/2" 200');
  });
});
