/**
 * The table in runtimes/README.md, made from the BUILD.json files; run alone it writes it there. A test compares.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTargets } from '../targets.ts';
import type { BuildRecord } from './finish.ts';
import { RUNTIMES } from './paths.ts';
import { PLATFORMS } from './platforms.ts';

const README = join(RUNTIMES, 'README.md');
const MARKS = ['<!-- table: npm run runtime:table -->\n', '<!-- end of table -->'] as const;

export function runtimesTable(): string {
  const rows = PLATFORMS.map(({ triple, core }) => {
    const file = join(RUNTIMES, triple, 'BUILD.json');
    if (!existsSync(file)) return `| ${triple} | ${usedInstead(triple)} | | | |`;
    const record: BuildRecord | { executable: { octets: number; sha256: string } } = JSON.parse(
      readFileSync(file, 'utf8'),
    );
    if (!('checks' in record)) {
      return `| ${triple} | prototype, made by hand | ${megabytes(record.executable.octets)} | | ${record.executable.sha256} |`;
    }
    const how = core === null ? 'from source' : `from source, V8's objects from ${core}`;
    return `| ${triple} | ${how} | ${megabytes(record.size)} | ${megabytes(record.compressedSize)} | ${record.sha256} |`;
  });
  const head = '| target | built | executable | compressed | SHA-256 of the executable |\n|---|---|---|---|---|';
  return `${head}\n${rows.join('\n')}\n`;
}

/** What the README holds now, or null where the marks are missing. */
export function tableInReadme(text: string = readFileSync(README, 'utf8')): string | null {
  const [start, end] = [text.indexOf(MARKS[0]), text.indexOf(MARKS[1])];
  return start < 0 || end < start ? null : text.slice(start + MARKS[0].length, end);
}

function usedInstead(triple: string): string {
  const runtime = readTargets().targets.find((target) => target.triple === triple)?.runtime;
  return runtime?.kind === 'npm' ? `not here: the release takes npm's ${runtime.package}` : 'not yet';
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

if (process.argv[1] === import.meta.filename) {
  const text = readFileSync(README, 'utf8');
  const old = tableInReadme(text);
  if (old === null) throw new Error('runtimes/README.md has no marks for the table');
  writeFileSync(README, text.replace(MARKS[0] + old, MARKS[0] + runtimesTable()));
}
