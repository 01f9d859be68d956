import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { serve } from '../../src/index.ts';
import { RawClient } from '../engine/raw-client.ts';
import { get } from './start-server.ts';

interface Program {
  readonly child: ChildProcess;
  readonly port: number;
  readonly lines: string[];
  /** The first line that begins so. */
  line(start: string): Promise<string>;
}

function startProgram(...args: string[]): Promise<Program> {
  return startProgramAt('', ...args);
}

async function startProgramAt(place: string, ...args: string[]): Promise<Program> {
  const file = fileURLToPath(new URL('clustered.ts', import.meta.url));
  const env = { ...process.env, WHERE: place };
  const child = spawn(process.execPath, [file, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  let onLine = () => {};
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line);
    onLine();
  });
  const line = (start: string) =>
    new Promise<string>((resolve, reject) => {
      onLine = () => {
        const found = lines.find((one) => one.startsWith(start));
        if (found !== undefined) resolve(found);
      };
      onLine();
      child.on('exit', (code) => reject(new Error(`it ended with ${code}`)));
    });
  const port = Number((await line('ready ')).slice(6));
  return { child, port, lines, line };
}

function connectTo(place: number | string): Promise<RawClient> {
  return typeof place === 'string' ? RawClient.connectUnix(place) : RawClient.connect(place);
}

/** Asks until all of `wanted` have answered, and with this `end`. */
async function namesUntil(place: number | string, wanted: readonly string[], target = '/', end = ''): Promise<void> {
  const seen = new Set<string>();
  while (!wanted.every((name) => seen.has(name))) {
    const client = await connectTo(place);
    const { body } = await client.send(get(target, 'Connection: close\r\n')).response();
    if (body.endsWith(end)) seen.add(body.split(' ').slice(0, 3).join(' '));
    client.close();
  }
}

const ALL = ['0 of 3', '1 of 3', '2 of 3'];

async function openOn(port: number, name: string): Promise<{ socket: WebSocket; messages: string[] }> {
  for (;;) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const messages: string[] = [];
    socket.on('message', (data) => messages.push(`${data}`));
    await once(socket, 'message');
    if (messages[0] === name) return { socket, messages };
    socket.terminate();
  }
}

describe.each(['thread', 'process'])('workers that are each a %s', (isolation) => {
  test('answer on the same port, reach each other, and are drained at SIGTERM', async () => {
    const { child, port, lines } = await startProgram(isolation);
    await namesUntil(port, ALL);

    const one = await openOn(port, '1 of 3');
    const other = await openOn(port, '2 of 3');
    one.socket.send('to all');
    await Promise.all([once(one.socket, 'message'), once(other.socket, 'message')]);
    expect([one.messages, other.messages]).toEqual([
      ['1 of 3', 'to all'],
      ['2 of 3', 'to all'],
    ]);
    one.socket.terminate();

    const closed = once(other.socket, 'close');
    child.kill('SIGTERM');
    expect((await closed)[0]).toBe(1001);
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(lines.filter((line) => line.startsWith('stopped')).sort()).toEqual(ALL.map((name) => `stopped ${name}`));
  });

  test('come back when they die', async () => {
    const { port } = await startProgram(isolation);
    await namesUntil(port, ALL);
    await untilGone(port, '1 of 3');
    await namesUntil(port, ALL);
  });

  test('are counted together, and replaced by reload without losing a connection', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-reload-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'version');
    writeFileSync(file, 'old');
    const { child, port, line } = await startProgram(isolation, file);
    await namesUntil(port, ALL, '/version', ' old');
    const [waiting, second] = [await openOn(port, '1 of 3'), await openOn(port, '2 of 3')];
    const later = await RawClient.connect(port);
    later.send(get('/later'));
    // Counts of other workers are a quarter of a second old.
    await new Promise((resolve) => setTimeout(resolve, 600));

    writeFileSync(file, 'new');
    const [oneCode, twoCode] = [once(waiting.socket, 'close'), once(second.socket, 'close')];
    child.kill('SIGUSR2');
    expect(await line('pending')).toBe('pending 1 2');
    later.close();
    expect([(await oneCode)[0], (await twoCode)[0]]).toEqual([1001, 1001]);
    await line('reloaded');
    await namesUntil(port, ALL, '/version', ' new');
  });

  test('share a Unix socket, also with one that comes back, and its file goes at the end', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-shared-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'socket');
    const { child } = await startProgramAt(file, isolation);
    await namesUntil(file, ALL);
    await untilGone(file, '1 of 3');
    await namesUntil(file, ALL);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(existsSync(file)).toBe(false);
  });

  test('take session tickets of each other', async () => {
    const { port } = await startProgramAt('tls', isolation);
    const first = await openTls(port);
    const session = await first.session;
    const seen = new Set<string>();
    while (seen.size < ALL.length) {
      const { isReused, name } = await openTls(port, session);
      expect(isReused).toBe(true);
      seen.add(name);
    }
  });
});

/** Ends that worker. */
async function untilGone(place: number | string, name: string): Promise<void> {
  for (;;) {
    const client = await connectTo(place);
    const { body } = await client.send(get('/')).response();
    if (body.startsWith(name)) {
      await client.send(get('/exit')).end();
      return;
    }
    client.close();
  }
}

async function openTls(port: number, session?: Buffer) {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...(session && { session }) });
  onTestFinished(() => void socket.destroy());
  const given = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  await once(socket, 'secureConnect');
  const isReused = socket.isSessionReused();
  socket.write(get('/', 'Connection: close\r\n'));
  let text = '';
  for await (const piece of socket) text += piece;
  const name = text.slice(text.indexOf('\r\n\r\n') + 4).slice(0, ALL[0]?.length);
  return { session: given, isReused, name };
}

test('a crash of one process costs only its own connections', async () => {
  const { port } = await startProgram('process');
  const clients = await Promise.all(Array.from({ length: 18 }, () => RawClient.connect(port)));
  for (const client of clients) await client.send(get('/')).response();
  const [first] = clients as [RawClient];
  await first.send(get('/crash')).end();
  await namesUntil(port, ALL);
  const left = clients.filter(({ hasEnded }) => !hasEnded);
  expect(left.length).toBeGreaterThan(0);
  for (const client of left) expect((await client.send(get('/')).response()).status).toBe(200);
  for (const client of clients) client.close();
});

test('an entry that does not call serve() is an error', async () => {
  const entry = new URL('data:text/javascript,');
  await expect(serve({ port: 0, workers: 2, entry, handle: () => undefined }).ready).rejects.toThrow(
    'worker 1 ended before it called serve()',
  );
  await expect(
    serve({ port: 0, workers: 2, isolation: 'process', entry, handle: () => undefined }).ready,
  ).rejects.toThrow('entry must be a file if workers are processes');
});
