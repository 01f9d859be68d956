/** The blob that we write is the one that Node and pkg would make. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, inject, test } from 'vitest';
import { readElf } from '../../scripts/formats/elf.ts';
import { withBlob } from '../../scripts/formats/exchanged-blob.ts';
import { injectionFaults } from '../../scripts/formats/injected.ts';
import { fuse, noteName, readCodeCache, writeSeaBlob } from '../../scripts/formats/sea-blob.ts';
import { emulatorFor } from '../../scripts/sandbox/emulation.ts';
import { root } from '../../scripts/support/checkout.ts';
import { sharedPath } from '../../scripts/targets/target-facts.ts';
import { findTargets, readTargets } from '../../scripts/targets/targets.ts';

const postject = createRequire(import.meta.url)('postject') as {
  inject(file: string, name: string, content: Buffer, options: { sentinelFuse: string }): Promise<void>;
};
const unavailable = inject('unavailable');
const [musl64, musl32] = findTargets(readTargets(), ['x86_64-unknown-linux-musl', 'i686-unknown-linux-musl']);
const code = 'console.log("é");\n'.repeat(1000);

async function inFolder(work: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-blob-'));
  try {
    writeFileSync(path.join(folder, 'main.cjs'), code);
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test.skipIf(unavailable !== '').each([
  ['nothing else', {}],
  ['files', { assets: { files: 'main.cjs' } }],
  ['options of Node', { execArgv: ['--no-warnings', '--stack-size=500'] }],
  ['both', { assets: { files: 'main.cjs' }, execArgv: ['--no-warnings'] }],
])('Node of either word size makes the same blob, with %s', (_, given: { assets?: object; execArgv?: string[] }) =>
  inFolder(async (folder) => {
    const config = { main: 'main.cjs', output: 'blob', disableExperimentalSEAWarning: true, ...given };
    writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
    const assets = given.assets === undefined ? [] : [{ name: 'files', data: Buffer.from(code) }];
    const blob = { codePath: 'main.cjs', code: Buffer.from(code), assets, execArgv: given.execArgv ?? [] };
    for (const target of [musl64, musl32]) {
      if (target === undefined) throw new Error('two targets');
      const node = sharedPath('node-binary', target, 'node');
      const emulator = await emulatorFor(target);
      const [program = '', ...before] = emulator === undefined ? [node] : [emulator, node];
      execFileSync(program, [...before, '--experimental-sea-config', 'config.json'], { cwd: folder, stdio: 'pipe' });
      const made = readFileSync(path.join(folder, 'blob'));
      expect(writeSeaBlob(blob, target.architecture.elf.class).equals(made)).toBe(true);
    }
  }),
);

test.skipIf(unavailable !== '')('a code cache lies where Node puts it', () =>
  inFolder(async (folder) => {
    for (const target of [musl64, musl32]) {
      if (target === undefined) throw new Error('two targets');
      const bits = target.architecture.elf.class;
      const emulator = await emulatorFor(target);
      const [program = '', ...before] = [emulator ?? [], sharedPath('node-binary', target, 'node')].flat();
      const makes = (given: object): Buffer => {
        const config = { main: 'main.cjs', output: 'blob', disableExperimentalSEAWarning: true, useCodeCache: true };
        writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ ...config, ...given }));
        const options = ['--random-seed=42', '--experimental-sea-config', 'config.json'];
        execFileSync(program, [...before, ...options], { cwd: folder, stdio: 'pipe' });
        return readFileSync(path.join(folder, 'blob'));
      };
      const codeCache = readCodeCache(makes({}), bits);
      const assets = [{ name: 'files', data: Buffer.from(code) }];
      const blob = { codePath: 'main.cjs', code: Buffer.from(code), codeCache, assets, execArgv: [] };
      expect(writeSeaBlob(blob, bits).equals(makes({ assets: { files: 'main.cjs' } }))).toBe(true);
    }
  }),
);

test.skipIf(unavailable !== '')('pkg makes an executable with the same blob and the same runtime', () =>
  inFolder((folder) => {
    if (musl64 === undefined) throw new Error('no target');
    const runtime = sharedPath('closed', musl64, 'node');
    const unpacked = `node-v${readTargets().node}-linux-x64`;
    const cache = path.join(folder, '.pkg-cache/sea');
    mkdirSync(path.join(cache, unpacked, 'bin'), { recursive: true });
    linkSync(runtime, path.join(cache, unpacked, 'bin/node'));
    for (const mark of [`${unpacked}.tar.gz`, `${unpacked}.tar.gz.ok`, `${unpacked}/bin/node.ok`]) {
      writeFileSync(path.join(cache, mark), '');
    }
    const pkg = createRequire(import.meta.url).resolve('@yao-pkg/pkg/lib-es5/bin.js');
    const main = path.join(folder, 'main.cjs');
    const output = path.join(folder, 'made');
    const options = ['--sea', main, '-t', `node${readTargets().node}-linux-x64`, '-o', output];
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder };
    execFileSync(process.execPath, [pkg, ...options], { cwd: root, env, stdio: 'pipe' });
    chmodSync(output, 0o755);
    const file = readFileSync(output);
    const closed = readFileSync(runtime);
    const blob = writeSeaBlob({ codePath: main, code: Buffer.from(code), assets: [], execArgv: [] }, 64);
    const elf = readElf(file);
    expect(elf.notes.find(({ name }) => name === 'NODE_SEA_BLOB')?.desc.equals(blob)).toBe(true);
    expect(injectionFaults({ bytes: closed, elf: readElf(closed) }, { bytes: file, elf })).toEqual([]);
  }),
);

test.skipIf(unavailable !== '')('exchanging the blob gives what postject makes of the new one', () =>
  inFolder(async (folder) => {
    if (musl64 === undefined) throw new Error('no target');
    const made = async (blob: Buffer): Promise<Buffer> => {
      const file = path.join(folder, 'injected');
      copyFileSync(sharedPath('closed', musl64, 'node'), file);
      await postject.inject(file, noteName, blob, { sentinelFuse: fuse });
      return readFileSync(file);
    };
    const [small, large] = [Buffer.alloc(4), Buffer.alloc(150_001, 'blob')];
    const byPostject = await made(large);
    expect(withBlob(await made(small), large).equals(byPostject)).toBe(true);
    expect(withBlob(byPostject, large).equals(byPostject)).toBe(true);
  }),
);
