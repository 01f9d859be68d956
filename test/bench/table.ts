/** Results as text: Markdown tables, aligned so that they are readable on a terminal too. Pure. */
import { barsOf } from './bars.ts';
import { MODES } from './modes.ts';
import type { Results } from './results.ts';

export function report(results: Results): string {
  const { machine, servers } = results;
  const title = (id: string): string => servers.find((server) => server.id === id)?.title ?? id;
  const parts = [`${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, ${results.made}`];
  const settings = Object.entries(results.settings).map(([name, value]) => `${name} ${value}`);
  parts.push(`${settings.join(', ')}${results.note ? `; ${results.note}` : ''}`);
  for (const mode of MODES) {
    const figures = results.figures.filter((figure) => figure.mode === mode.id);
    if (figures.length === 0) continue;
    const rows = figures
      .toSorted((a, b) => a.cpuMicros - b.cpuMicros)
      .map((figure) => [
        title(figure.server),
        figure.cpuMicros.toFixed(2),
        figure.ratioToFloor?.toFixed(2) ?? '–',
        figure.ratioToPlain?.toFixed(2) ?? '–',
        String(figure.requestsPerSecond),
        latency(figure.p50Micros),
        latency(figure.p99Micros),
        figure.errors === 0 ? '' : `${figure.errors}`,
      ]);
    const head = ['server', 'CPU µs', '× floor', '× plain', 'req/s', 'p50 µs', 'p99 µs', 'errors'];
    parts.push(`### ${mode.title}\n${table(head, rows)}`);
  }
  if (results.starts.length > 0) {
    const rows = results.starts.map((start) => [
      title(start.server),
      start.what,
      start.wallMs.toFixed(1),
      start.fastMs.toFixed(1),
      start.cpuMs.toFixed(1),
    ]);
    parts.push(`### Start\n${table(['server', 'until', 'median ms', 'fastest tenth ms', 'CPU ms'], rows, 2)}`);
  }
  if (results.memory.length > 0) {
    const head = ['server', 'workers', 'idle RSS', 'idle PSS', 'anonymous', 'loaded RSS', 'bytes per connection'];
    const rows = results.memory.map(({ server, workers, idle, loaded, bytesPerConnection }) => [
      title(server),
      String(workers),
      mebibytes(idle.rss),
      mebibytes(idle.pss),
      mebibytes(idle.anonymous),
      loaded === null ? '–' : mebibytes(loaded.rss),
      bytesPerConnection === null ? '–' : String(bytesPerConnection),
    ]);
    parts.push(`### Memory, MiB\n${table(head, rows)}`);
  }
  const missing = servers.flatMap(({ title: name, missing: reasons }) =>
    Object.entries(reasons).map(([mode, reason]) => `- ${name}${mode === 'all' ? '' : `, ${mode}`}: ${reason}`),
  );
  const remarks = servers.flatMap(({ title: name, remarks: all }) =>
    Object.entries(all).map(([mode, remark]) => `- ${name}, ${mode}: ${remark}`),
  );
  if (remarks.length > 0) parts.push(`### Remarks\n${remarks.join('\n')}`);
  if (missing.length > 0) parts.push(`### Not measured\n${missing.join('\n')}`);
  const bars = barsOf(results)
    .filter((bar) => bar.isMet !== null)
    .map((bar) => [bar.what, bar.limit, bar.got, bar.isMet ? 'met' : 'NOT MET']);
  if (bars.length > 0) parts.push(`### Bars\n${table(['what', 'bar', 'got', ''], bars)}`);
  return `${parts.join('\n\n')}\n`;
}

/** The first `texts` columns are flush left, the others flush right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], texts = 1): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0), 3));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => pad(cell, widths[column] as number, column < texts)).join(' | ')} |`;
  const rule = widths.map((width, column) => (column < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

function pad(text: string, width: number, isLeft: boolean): string {
  return isLeft ? text.padEnd(width) : text.padStart(width);
}

/** wrk reports no latencies if a server closes within a pipeline. */
function latency(micros: number): string {
  return micros === 0 ? '–' : micros.toFixed(0);
}

function mebibytes(kilobytes: number): string {
  return (kilobytes / 1024).toFixed(1);
}
