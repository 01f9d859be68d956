import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FollowedFile } from '../../src/log/follow.ts';
import { LiveView } from '../../src/log/live-view.ts';
import { readLogLine } from '../../src/log/read-line.ts';
import { ROOT, ServerProcess, SOURCE } from '../cli/server-process.ts';
import { areInstalled } from '../installed.ts';
import { makeFolder } from './start-web.ts';

const hasScript = areInstalled('logs top on a terminal', { script: 'bsdutils' });
const COMMON = '127.0.0.1 - - [09/Aug/2025:10:15:32 +0200] "GET /index.html?a HTTP/1.1" 200 1043';

function jsonLine(target: string, status: number, ms: number, timestamp = '2025-08-09T09:00:00.000Z'): string {
  return JSON.stringify({
    ...{ timestamp, remote_addr: '::1', method: 'GET', path: target, status, response_time_ms: ms, bytes_sent: 10 },
  });
}

describe('a line', () => {
  test('is read in all formats that are written', () => {
    const common = { client: '127.0.0.1', method: 'GET', path: '/index.html', status: 200, bytes: 1043, ms: null };
    expect(readLogLine(COMMON)).toEqual({ ...common, time: Date.parse('2025-08-09T08:15:32Z') });
    expect(readLogLine(`${COMMON} "http://a/\\"" "agent"`)).toMatchObject(common);
    expect(readLogLine(COMMON.replace('1043', '-'))).toMatchObject({ bytes: 0 });
    expect(readLogLine(jsonLine('/a?b', 404, 1.5))).toMatchObject({ client: '::1', path: '/a', status: 404, ms: 1.5 });
  });

  test.each(['', 'garbage', '{', '{}', COMMON.replace('Aug', 'Xyz'), '{"timestamp":1,"path":2}'])(
    'is not %j',
    (line) => {
      expect(readLogLine(line)).toBeNull();
    },
  );
});

describe('logs report', () => {
  const run = (folder: string, ...args: string[]) => new ServerProcess(['logs', ...args], { cwd: folder }).ended;

  test('adds up all files by a key, compressed ones included, and leaves out what is no line of a log', async () => {
    const lines = [1, 2, 3].map((ms) => jsonLine('/slow', ms === 3 ? 500 : 200, ms * 100));
    const folder = makeFolder({
      'access.log': `${COMMON}\n${lines.join('\n')}\ngarbage\n`,
      'access.log.1.gz': gzipSync(`${jsonLine('/a', 200, 1, '2025-08-08T23:59:59.999Z')}\n`),
    });
    const byDay = await run(folder, 'report', 'access.log.1.gz', 'access.log', '--by', 'day');
    expect(byDay).toMatchObject({ code: 0, stderr: expect.stringContaining('1 lines are no lines of an access log') });
    expect(byDay.stdout).toBe(
      [
        'day         requests  5xx  bytes  mean ms  p95 ms',
        '2025-08-08         1    0     10      1.0     1.0',
        '2025-08-09         4    1   1073    200.0   311.7',
        'all                5    1   1083    150.3   311.7',
        '',
      ].join('\n'),
    );
    const { stdout } = await run(folder, 'report', 'access.log', '--by', 'path', '--most', '1');
    expect(stdout.split('\n').map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
      ['path', 'requests'],
      ['/slow', '3'],
      ['all', '2'],
      [''],
    ]);
  });

  test('nothing in a log steers the terminal', async () => {
    const folder = makeFolder({ 'access.log': `${jsonLine('/\x1b[2J\u009b', 200, 1)}\n` });
    const { stdout } = await run(folder, 'report', 'access.log', '--by', 'path');
    expect(stdout).toContain('/\\x1b[2J\\x9b');
  });

  test('says what it cannot do', async () => {
    const folder = makeFolder({});
    expect(await run(folder, 'report', 'none')).toMatchObject({
      code: 1,
      stderr: 'vrypt-server: none cannot be read (ENOENT)\n',
    });
    expect((await run(folder, 'show')).stderr).toContain('logs must be told report or top, got "show"');
    expect((await run(folder, 'report')).stderr).toContain('logs report must be given a file');
    expect((await run(folder, 'top', 'none')).stderr).toContain('must be started on a terminal');
  });
});

describe('logs top', () => {
  test('follows a file that is rotated or emptied', () => {
    const folder = makeFolder({ log: 'before\n' });
    const file = path.join(folder, 'log');
    const followed = new FollowedFile(file);
    onTestFinished(() => followed.close());
    expect(followed.read()).toEqual([]);
    appendFileSync(file, 'one\ntw');
    expect(followed.read()).toEqual(['one']);
    appendFileSync(file, 'o\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'three\n');
    expect(followed.read()).toEqual(['two', 'three']);
    writeFileSync(file, '4\n');
    expect(followed.read()).toEqual(['4']);
  });

  test('shows the busiest paths of the last minute', () => {
    const view = new LiveView();
    const add = (target: string) => view.add(readLogLine(jsonLine(target, 200, 4)) as never);
    for (const target of ['/a', '/b', '/a', '/a']) add(target);
    expect(view.next(24, 80).split('\n').slice(0, 6)).toEqual([
      '4 requests/s, 4 in the last 1 s, mean 4.0 ms',
      '1xx 0  2xx 4  3xx 0  4xx 0  5xx 0  bytes 40',
      '',
      'path  requests',
      '/a           3',
      '/b           1',
    ]);
    for (let second = 0; second < 61; second++) view.next(24, 80);
    expect(view.next(24, 80)).toContain('0 requests/s, 0 in the last 60 s, mean -');
  });

  test.skipIf(!hasScript)('is live on a terminal until it is interrupted', async () => {
    const folder = makeFolder({ 'access.log': '' });
    const inside = [...SOURCE, 'logs', 'top', path.join(folder, 'access.log')].join(' ');
    const shown = new ServerProcess(['-qec', inside, '/dev/null'], { command: ['script'], cwd: ROOT });
    onTestFinished(async () => void (await shown.kill()));
    await shown.printed('0 requests/s');
    appendFileSync(path.join(folder, 'access.log'), `${jsonLine('/live', 200, 1)}\n`);
    await shown.printed('/live');
  });
});
