/** Programs of which nobody says how they are tried: what each is found to be, and that a server must listen on every target. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Tried } from '../../scripts/smoke/session.ts';
import { setTraps } from '../../scripts/smoke/traps.ts';
import { tryUndescribed } from '../../scripts/smoke/undescribed.ts';

const folders: string[] = [];
afterAll(() => folders.map((folder) => rmSync(folder, { recursive: true, force: true })));

async function program(text: string, timeoutMs = 20_000): Promise<Tried> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'vrypt-undescribed-'));
  folders.push(cwd);
  const script = path.join(cwd, 'program.mjs');
  writeFileSync(script, text);
  return { command: [process.execPath, script], cwd, timeoutMs, isEmulated: false, traps: await setTraps(cwd, cwd) };
}

const server = (status: number) =>
  `import { createServer } from 'node:http';
   createServer((_, answer) => { answer.statusCode = ${status}; answer.end(); }).listen(process.env.PORT);`;
const bot = 'setInterval(() => {}, 1000);';

test('what listens is a server, and its answer must not be an error of its own', async () => {
  expect(await tryUndescribed(await program(server(404)))).toMatchObject({ kind: 'server', faults: [] });
  const { kind, faults } = await tryUndescribed(await program(server(500)));
  expect(kind).toBe('server');
  expect(faults).toEqual([expect.stringMatching(/^answers GET \/: the status must be below 500, got 500/)]);
});

test('what ends must end with 0', async () => {
  expect(await tryUndescribed(await program(''))).toMatchObject({ kind: 'ends by itself', faults: [] });
  const { faults } = await tryUndescribed(await program('process.exit(3)'));
  expect(faults).toEqual([expect.stringMatching(/^ends by itself: the exit code must be 0, got 3/)]);
});

test('what neither listens nor ends keeps running; if it is a server on another target, it has a fault', async () => {
  expect(await tryUndescribed(await program(bot, 1000))).toMatchObject({ kind: 'keeps running', faults: [] });
  const late = await tryUndescribed(await program(bot, 500), true);
  expect(late.faults).toEqual([
    expect.stringMatching(/^listens: it does on another target, here it did not within 1500 ms/),
  ]);
  const ended = await tryUndescribed(await program(''), true);
  expect(ended.faults).toEqual([expect.stringMatching(/^listens: it does on another target, here it ended/)]);
});
