import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { serve } from '../../src/index.ts';
import { RawClient } from '../engine/raw-client.ts';
import { get } from './start-server.ts';

interface Program {
  readonly child: ChildProcess;
  readonly port: number;
  readonly lines: string[];
}

async function startProgram(): Promise<Program> {
  const file = fileURLToPath(new URL('clustered.ts', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('ready ')) resolve(Number(line.slice(6)));
    });
    child.on('exit', (code) => reject(new Error(`it ended with ${code}`)));
  });
  return { child, port, lines };
}

/** The names of workers that answer, until all of `wanted` have. */
async function namesUntil(port: number, wanted: readonly string[]): Promise<void> {
  const seen = new Set<string>();
  while (!wanted.every((name) => seen.has(name))) {
    const client = await RawClient.connect(port);
    const { body } = await client.send(get('/', 'Connection: close\r\n')).response();
    seen.add(body.split(' ').slice(0, 3).join(' '));
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

test('every worker answers on the same port; one that dies comes back; SIGTERM drains all', async () => {
  const { child, port, lines } = await startProgram();
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

test('a worker that dies comes back', async () => {
  const { port } = await startProgram();
  await namesUntil(port, ALL);
  for (;;) {
    const client = await RawClient.connect(port);
    const { body } = await client.send(get('/')).response();
    if (body.startsWith('1 of 3')) {
      await client.send(get('/exit')).end();
      break;
    }
    client.close();
  }
  await namesUntil(port, ALL);
});

test('an entry that does not call serve() is an error', async () => {
  const entry = new URL('data:text/javascript,');
  await expect(serve({ port: 0, workers: 2, entry, handle: () => undefined }).ready).rejects.toThrow(
    'worker 1 ended before it called serve()',
  );
  expect(() => serve({ unix: '/tmp/x', workers: 2, handle: () => undefined })).toThrow('must be served by one worker');
});
