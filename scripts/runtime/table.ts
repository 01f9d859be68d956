/** The table in runtimes/README.md, made from the BUILD.json files; run alone it writes it there. A test compares. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { command } from '../support/command.ts';
import { Failure } from '../support/errors.ts';
import { megabytes } from '../support/progress.ts';
import { capabilitiesFrom } from '../targets/capabilities.ts';
import { readTargets } from '../targets/targets.ts';
import { runtimes } from './paths.ts';
import { inBuildOrder, v8SourceOf } from './platforms.ts';
import type { BuildRecord } from './publish-runtime.ts';

const readme = path.join(runtimes, 'README.md');
const marks = ['<!-- table: npm run runtime:table -->\n', '<!-- end of table -->'] as const;

export function runtimesTable(): string {
  const rows = inBuildOrder(readTargets().targets).map((target) => {
    const { triple } = target;
    const file = path.join(runtimes, triple, 'BUILD.json');
    if (!existsSync(file)) return `| ${triple} | not yet | | | | |`;
    const record: BuildRecord = JSON.parse(readFileSync(file, 'utf8'));
    const source = v8SourceOf(target);
    const how = source === undefined ? 'from source' : `from source, V8's objects from ${source.triple}`;
    const has = capabilitiesFrom(record);
    const parts = [has.icu && 'Intl', has.sqlite && 'SQLite', has.quic && 'QUIC'].filter(Boolean).join(', ');
    return `| ${triple} | ${how} | ${parts} | ${megabytes(record.size)} | ${megabytes(record.compressedSize)} | ${record.sha256} |`;
  });
  const head =
    '| target | built | with | executable | compressed | SHA-256 of the executable |\n|---|---|---|---|---|---|';
  return `${head}\n${rows.join('\n')}\n`;
}

/** The table that the README has now, or null without its marks. */
export function tableInReadme(text: string = readFileSync(readme, 'utf8')): string | null {
  const [start, end] = [text.indexOf(marks[0]), text.indexOf(marks[1])];
  return start < 0 || end < start ? null : text.slice(start + marks[0].length, end);
}

if (import.meta.main) {
  await command({ about: 'Writes the table of runtimes into runtimes/README.md.' }, async () => {
    const text = readFileSync(readme, 'utf8');
    const old = tableInReadme(text);
    if (old === null) throw new Failure('runtimes/README.md must have the marks of the table, has none');
    writeFileSync(readme, text.replace(marks[0] + old, marks[0] + runtimesTable()));
  });
}
