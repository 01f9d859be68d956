/** The README's tables are derived; `npm run readme` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { markdownTable } from '../scripts/derived.ts';
import { version } from '../scripts/project.ts';
import { readTargets } from '../scripts/targets.ts';
import { OPTION_ROWS, type OptionRow } from '../src/cli/settings.ts';
import type { Results } from './bench/results.ts';

const file = new URL('../README.md', import.meta.url);

function optionTable(): string {
  const rows: readonly OptionRow[] = OPTION_ROWS;
  const lines = rows.map((row) => {
    const flags = [...(row.short ? [`-${row.short}`] : []), `--${row.name}`].join(', ');
    return `| \`${flags}${row.value ? ` <${row.value}>` : ''}\` | ${row.default ?? ''} | ${row.help.replaceAll('|', '\\|')} |`;
  });
  return ['| Option | Default | Meaning |', '| --- | --- | --- |', ...lines].join('\n');
}

/** Of the reference run; a dash where a peer was not measured or not like the others. */
function performanceTable(): string {
  const results = JSON.parse(readFileSync(new URL('bench/results.json', import.meta.url), 'utf8')) as Results;
  const modes = ['plain', 'different', 'pipelined', 'post', 'close'];
  const rows = results.servers.map(({ id, title }) => {
    const cpu = modes.map((mode) => results.figures.find((one) => one.server === id && one.mode === mode));
    const memory = results.memory.find((one) => one.server === id && one.workers === 1);
    return [
      id === 'vrypt' ? `**${title}**` : title,
      ...cpu.map((figure) => figure?.cpuMicros.toFixed(figure.cpuMicros < 1 ? 2 : 1) ?? '–'),
      memory === undefined ? '–' : `${(memory.idle.rss / 1024).toFixed(0)} MiB`,
    ];
  });
  const head = [
    'Server',
    'Keep-alive',
    'All different',
    '16 pipelined',
    'POST 1 KiB',
    'Connection each',
    'Idle memory',
  ];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Replaces the table that begins with the same head line. */
function withTable(text: string, table: string): string {
  const head = table.slice(0, table.indexOf('\n'));
  const start = text.indexOf(head);
  const end = text.indexOf('\n\n', start);
  if (start < 0) throw new Error(`README.md has no table with the head ${head}`);
  return text.slice(0, start) + table + text.slice(end);
}

test('the tables of the README are those of targets.json, of the options and of the reference run', () => {
  const text = readFileSync(file, 'utf8');
  const tables = [markdownTable(readTargets().targets), optionTable(), performanceTable()];
  const wanted = tables.reduce(withTable, text);
  if (process.env['UPDATE']) writeFileSync(file, wanted);
  else expect(text, 'npm run readme writes them anew').toBe(wanted);
});

test('the examples of the README name the version of package.json', () => {
  const named = [...readFileSync(file, 'utf8').matchAll(/vrypt-server[- ]v?(\d+\.\d+\.\d+)/g)].map((match) => match[1]);
  expect(new Set(named)).toEqual(new Set([version]));
});
