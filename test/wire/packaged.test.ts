/**
 * Every wire case against the packaged executable, which the toolchain has just made (`test/packaged/setup.ts`); one process
 * per set of options.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { program } from '../../scripts/program/program.ts';
import { builtPath } from '../../scripts/targets/target-facts.ts';
import { readTargets } from '../../scripts/targets/targets.ts';
import { argumentsOf, casesByOptions, loadCases } from './load-cases.ts';
import { checkCase } from './run-client.ts';

const TRIPLE = 'x86_64-unknown-linux-musl';
const target = readTargets().targets.find(({ triple }) => triple === TRIPLE);
if (target === undefined) throw new Error(`targets.json has no ${TRIPLE}`);
const executable = builtPath('package', target, program.name);
const unavailable = inject('unavailable');

for (const [options, cases] of casesByOptions(loadCases())) {
  const title = options === '' ? '' : ` with ${options}`;
  describe.skipIf(unavailable !== '').concurrent(`the executable${title}`, () => {
    let server: ChildProcess;
    let port = 0;

    beforeAll(async () => {
      const args = ['--host=127.0.0.1', '--port=0', '--workers=1', '--max-connections=1000', ...argumentsOf(options)];
      server = spawn(executable, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = (await once(createInterface(server.stdout as NodeJS.ReadableStream), 'line')) as [string];
      port = Number(/:(\d+) /.exec(line)?.[1]);
    });
    afterAll(async () => {
      server.kill('SIGTERM');
      const [code] = await once(server, 'exit');
      expect(code).toBe(0);
    });

    for (const one of cases) {
      test(`${one.document}: ${one.name}`, () => checkCase(port, one));
    }
  });
}
