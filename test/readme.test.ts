/** The README's tables are derived; `UPDATE=1 npx vitest run test/readme.test.ts` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { markdownTable } from '../scripts/derived.ts';
import { readTargets } from '../scripts/targets.ts';
import { OPTION_ROWS, type OptionRow } from '../src/cli/settings.ts';

const file = new URL('../README.md', import.meta.url);

function optionTable(): string {
  const rows: readonly OptionRow[] = OPTION_ROWS;
  const lines = rows.map((row) => {
    const flags = [...(row.short ? [`-${row.short}`] : []), `--${row.name}`].join(', ');
    return `| \`${flags}${row.value ? ` <${row.value}>` : ''}\` | ${row.default ?? ''} | ${row.help.replaceAll('|', '\\|')} |`;
  });
  return ['| Option | Default | Meaning |', '| --- | --- | --- |', ...lines].join('\n');
}

/** Replaces the table that begins with the same head line. */
function withTable(text: string, table: string): string {
  const head = table.slice(0, table.indexOf('\n'));
  const start = text.indexOf(head);
  const end = text.indexOf('\n\n', start);
  if (start < 0) throw new Error(`README.md has no table with the head ${head}`);
  return text.slice(0, start) + table + text.slice(end);
}

test('the tables of the README are those of targets.json and of the options', () => {
  const text = readFileSync(file, 'utf8');
  const wanted = withTable(withTable(text, markdownTable(readTargets().targets)), optionTable());
  if (process.env['UPDATE']) writeFileSync(file, wanted);
  else expect(text).toBe(wanted);
});
