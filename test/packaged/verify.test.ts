/** Faults planted in real products: every one of their bytes is accounted for. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { blankNames } from '../../scripts/formats/c-strings.ts';
import { readElf, type Segment } from '../../scripts/formats/elf.ts';
import { injectionFaults } from '../../scripts/formats/injected.ts';
import type { NewBlob } from '../../scripts/formats/sea-blob.ts';
import { closedVariables } from '../../scripts/program/closed-variables.ts';
import { faultsOf } from '../../scripts/steps/verify.ts';
import { build, root } from '../../scripts/support/checkout.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { builtPath } from '../../scripts/targets/target-facts.ts';
import { isReady, readTargets } from '../../scripts/targets/targets.ts';

const unavailable = inject('unavailable');
const triples = ['x86_64-unknown-linux-musl', 'x86_64-unknown-linux-gnu'];

describe.skipIf(unavailable !== '').each(triples)('%s', (triple) => {
  const target = readTargets().targets.find((row) => row.triple === triple);
  if (target === undefined || !isReady(target)) throw new Error(`no ${triple}`);
  let file: Buffer;
  let bundle: NewBlob;
  let wholeSize: number;
  let runtime: Buffer;

  beforeAll(() => {
    const script = path.join(root, 'scripts/steps/verify.ts');
    const run = spawnSync(process.execPath, [script, '--target', triple], { cwd: root, encoding: 'utf8' });
    if (run.status !== 0) throw new Error(run.stderr);
    file = readFileSync(builtPath('package', target, 'vrypt-server'));
    const code = readFileSync(path.join(build, 'bundle/vrypt-server.cjs'));
    const whole = readFileSync(path.join(build, 'bundle/vrypt-server.whole.cjs'));
    wholeSize = whole.length;
    const execArgv = ['--experimental-quic'];
    const codeCache = readFileSync(builtPath('code-cache', target, 'vrypt-server'));
    bundle = { codePath: 'vrypt-server', code, codeCache, assets: [{ name: 'whole', data: whole }], execArgv };
    runtime = readFileSync(builtPath('node-binary', target, 'node'));
  }, 120_000);

  /** The faults after one byte was changed; the file is as before afterwards. */
  function flipped(at: number): string[] {
    const old = file[at] ?? 0;
    file[at] = old ^ 0x10;
    try {
      return faultsOf(target as Parameters<typeof faultsOf>[0], file, bundle, runtime);
    } finally {
      file[at] = old;
    }
  }

  function segment(isWanted: (segment: Segment) => boolean): Segment {
    const found = readElf(file).segments.find(isWanted);
    if (found === undefined) throw new Error('no such segment');
    return found;
  }

  test('has no fault', () => {
    expect(faultsOf(target, file, bundle, runtime)).toEqual([]);
  });

  test('one flipped byte of code is named with its place', () => {
    const code = segment(({ type, flags }) => type === 1 && (flags & 1) !== 0);
    const at = code.offset + 0x123456;
    expect(flipped(at)).toEqual([
      expect.stringMatching(
        new RegExp(`^must be the pinned runtime .*, got 0x\\w+ instead of 0x\\w+ at 0x${at.toString(16)}, in \\.text$`),
      ),
    ]);
  });

  test('a flipped byte is a fault in data, header, program headers, note, names of sections and zeros', () => {
    const { sections, segmentTable, sectionTable } = readElf(file);
    const [data] = sections.filter(({ name }) => name === '.data');
    const notes = segment(({ type }) => type === 4);
    const names = sections.find(({ name }) => name === '.shstrtab');
    const places = {
      data: (data?.offset ?? 0) + 999,
      entry: 24,
      'program header': segmentTable.offset + 56 + 16,
      'section header': sectionTable.offset + 3 * 64 + 16,
      "the note's type": notes.offset + notes.size - 4 * Math.ceil((bundle.code.length + wholeSize + 200) / 4),
      bundle: notes.offset + notes.size - wholeSize - 5000,
      'the whole program': notes.offset + notes.size - 5000,
      'name of a section': (names?.offset ?? 0) + 3,
      'the end of the notes': notes.offset + notes.size + 100,
    };
    const missed = Object.entries(places).filter(([, at]) => flipped(at).length === 0);
    expect(missed).toEqual([]);
  });

  test('a flipped byte in any table of the dynamic loader is a fault', () => {
    const closed = Buffer.from(runtime);
    blankNames(closed, Object.keys(closedVariables));
    const from = { bytes: closed, elf: readElf(closed) };
    const isFound = (at: number): boolean => {
      const old = file[at] ?? 0;
      file[at] = old ^ 0x10;
      try {
        return injectionFaults(from, { bytes: file, elf: readElf(file) }).length > 0;
      } catch (error) {
        return error instanceof Failure;
      } finally {
        file[at] = old;
      }
    };
    const tables = readElf(file).sections.filter(({ name }) => /^\.(dyn|gnu\.|rel)/.test(name));
    const places = tables.flatMap(({ offset, size }) => [0.2, 0.6].map((part) => offset + Math.floor(part * size)));
    expect(places.filter((at) => !isFound(at))).toEqual([]);
  });

  test('bytes behind the end are a fault, zeros too', () => {
    expect(faultsOf(target, Buffer.concat([file, Buffer.alloc(3)]), bundle, runtime)).toEqual([
      `must end at byte ${file.length}, where its last part ends, got ${file.length + 3} bytes`,
    ]);
  });

  test('a file that lacks its last byte is a fault', () => {
    expect(faultsOf(target, file.subarray(0, -1), bundle, runtime)).toEqual([
      expect.stringMatching(/^must be a whole ELF file: .* the section headers .* it has \d+ bytes$/),
    ]);
  });

  test('other flags of the blob are a fault', () => {
    const blob = readElf(file).notes.find(({ name }) => name === 'NODE_SEA_BLOB')?.desc ?? Buffer.alloc(9);
    const [flags, extension] = [blob[4] ?? 0, blob[8] ?? 0];
    blob[4] = flags & ~16;
    blob[8] = 2;
    expect(faultsOf(target, file, bundle, runtime)).toEqual([
      "must have the blob's flags 0x1d (no warning, code cache, assets, execArgv), got 0xd (no warning, code cache, assets)",
      "must have the blob's execArgv extension 1 (environment, which is closed), got 2",
    ]);
    blob[4] = flags;
    blob[8] = extension;
  });
});
