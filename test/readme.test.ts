/** The README's tables are derived; `npm run readme` updates them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { program } from '../scripts/program/program.ts';
import { markdownTable } from '../scripts/targets/target-facts.ts';
import { readTargets } from '../scripts/targets/targets.ts';
import type { OptionRow } from '../src/cli/options.ts';
import { OPTION_ROWS } from '../src/cli/settings.ts';
import type { Results } from './bench/results.ts';
import { programs } from './programs/programs.ts';
import type { Result } from './programs/result.ts';

const file = new URL('../README.md', import.meta.url);

function optionTable(): string {
  const rows: readonly OptionRow[] = OPTION_ROWS;
  const lines = rows.map((row) => {
    const flags = [...(row.short ? [`-${row.short}`] : []), `--${row.name}`].join(', ');
    return `| \`${flags}${row.rule ? ` <${row.rule.placeholder.replaceAll('|', '\\|')}>` : ''}\` | ${row.default ?? ''} | ${row.help.replaceAll('|', '\\|')} |`;
  });
  return ['| Option | Default | Meaning |', '| --- | --- | --- |', ...lines].join('\n');
}

const results = JSON.parse(readFileSync(new URL('bench/results.json', import.meta.url), 'utf8')) as Results;

/** One row per server of the reference run; a dash if a figure was not measured or is not comparable. */
function serverTable(columns: readonly string[], cellsOf: (id: string) => readonly (string | undefined)[]): string {
  const rows = results.servers.map(({ id, title }) => [
    id === 'vrypt' ? `**${title}**` : title,
    ...cellsOf(id).map((cell) => cell ?? '–'),
  ]);
  const head = ['Server', ...columns];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function performanceTable(): string {
  const modes = ['plain', 'different', 'pipelined', 'post', 'close'];
  return serverTable(['Keep-alive', 'All different', '16 pipelined', 'POST 1 KiB', 'Connection each'], (id) =>
    modes.map((mode) => {
      const figure = results.figures.find((one) => one.server === id && one.mode === mode);
      return figure?.cpuMicros.toFixed(figure.cpuMicros < 1 ? 2 : 1);
    }),
  );
}

function resourceTable(): string {
  const columns = ['First answer', '1 worker', '2 workers', '4 workers', 'A silent connection'];
  return serverTable(columns, (id) => {
    const start = results.starts.find((one) => one.server === id && one.what === 'first response, 1 worker');
    const memory = [1, 2, 4].map((workers) =>
      results.memory.find((one) => one.server === id && one.workers === workers),
    );
    const bytes = memory[0]?.bytesPerConnection;
    return [
      start && `${start.wallMs.toFixed(0)} ms`,
      ...memory.map((figure) => figure && `${(figure.idle.rss / 1024).toFixed(0)} MiB`),
      bytes ? `${(bytes / 1024).toFixed(1)} KiB` : undefined,
    ];
  });
}

const tried = JSON.parse(readFileSync(new URL('programs/results.json', import.meta.url), 'utf8')) as readonly Result[];

/** One row per program that was tried, on the target that most people start with. */
function programTable(): string {
  const rows = programs.flatMap(({ name, title, set }) => {
    const results = tried.filter(({ program }) => program === name);
    const good = results.filter(({ refused }) => refused === undefined);
    const [shown] = good.toSorted((a) => (a.target === 'x86_64-unknown-linux-musl' ? -1 : 1));
    const [refused] = results.flatMap((result) => result.refused ?? []);
    if (shown === undefined && refused === undefined) return [];
    const size = shown === undefined ? '–' : `${((shown.archiveBytes ?? 0) / 1e6).toFixed(1)} MB`;
    const [, reason = refused] = /(uses [^,]*|cannot load it: [^;]*)/.exec(refused ?? '') ?? [];
    const runs = good.length === 0 ? [] : [`runs on ${good.length}`];
    const refusals = refused === undefined ? [] : [`refused on ${results.length - good.length}: ${reason}`];
    const outcome = [...runs, ...refusals].join('; ');
    return [[title, size, outcome, set ?? 'nothing']];
  });
  const head = ['Program', 'Archive', 'Of the targets tried', 'What had to be set'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Replaces the table with the same header row. */
function withTable(text: string, table: string): string {
  const head = table.slice(0, table.indexOf('\n'));
  const start = text.indexOf(head);
  const end = text.indexOf('\n\n', start);
  if (start < 0) throw new Error(`README.md has no table with the header ${head}`);
  return text.slice(0, start) + table + text.slice(end);
}

test('the tables of the README match targets.json, the options, the reference run and the programs that were tried', () => {
  const text = readFileSync(file, 'utf8');
  const tables = [markdownTable(readTargets().targets), optionTable(), performanceTable(), resourceTable()];
  if (tried.length > 0) tables.push(programTable());
  const expected = tables.reduce(withTable, text);
  if (process.env['UPDATE']) writeFileSync(file, expected);
  else expect(text, 'npm run readme updates them').toBe(expected);
});

test('the examples of the README name the version of package.json', () => {
  const named = [...readFileSync(file, 'utf8').matchAll(/vrypt-server[- ]v?(\d+\.\d+\.\d+)/g)].map((match) => match[1]);
  expect(new Set(named)).toEqual(new Set([program.version]));
});
