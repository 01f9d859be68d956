/**
 * Every wire case against the packaged executable, one process for each set of options. The toolchain makes the executable
 * (`npm run package -- --target x86_64-unknown-linux-musl`); without one that is as new as the source, this is skipped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { builtPath } from '../../scripts/derived.ts';
import { name, root } from '../../scripts/project.ts';
import { readTargets } from '../../scripts/targets.ts';
import { argumentsOf, casesByOptions, loadCases } from './load-cases.ts';
import { linesOf } from './read-responses.ts';
import { runSocket, waysOf } from './run-socket.ts';

const TRIPLE = 'x86_64-unknown-linux-musl';
const executable = findExecutable();

for (const [options, cases] of casesByOptions(loadCases())) {
  const title = options === '' ? '' : ` with ${options}`;
  describe.skipIf(executable === null).concurrent(`the executable${title}`, () => {
    let server: ChildProcess;
    let port = 0;

    beforeAll(async () => {
      const args = ['--host=127.0.0.1', '--port=0', '--workers=1', '--max-connections=1000', ...argumentsOf(options)];
      server = spawn(executable as string, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(createInterface(server.stdout as NodeJS.ReadableStream), 'line')) as [string];
      port = Number(/:(\d+) /.exec(line)?.[1]);
    });
    afterAll(async () => {
      server.kill('SIGTERM');
      const [code] = await once(server, 'exit');
      expect(code).toBe(0);
    });

    for (const one of cases) {
      test(`${one.document}: ${one.name}`, async () => {
        for (const { way, parts } of waysOf(one)) {
          const run = await runSocket(port, one, parts);
          const lines = linesOf(one.expected.responses, run.lines);
          expect({ way, ...run }).toEqual({ way, lines, end: one.expected.end });
        }
      });
    }
  });
}

/** Null where there is none, or one of an older source. */
function findExecutable(): string | null {
  const target = readTargets().targets.find(({ triple }) => triple === TRIPLE);
  if (target === undefined) throw new Error(`targets.json has no ${TRIPLE}`);
  const file = builtPath('package', target, name);
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(file)) return null;
  // The project "packaged" has just made it.
  if (inject('unavailable') === '') return file;
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, withFileTypes: true });
  const times = sources.map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs);
  return Math.max(...times) > statSync(file).mtimeMs ? null : file;
}
