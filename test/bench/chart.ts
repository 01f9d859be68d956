/** The chart of the README, from the results: CPU time per request in four modes, shorter is better. Pure. */
import type { Results } from './results.ts';

export function chartOf(results: Results): string {
  const panels = PANELS.map(({ mode, title }) => ({ title, bars: barsOf(results, mode) })).filter(
    ({ bars }) => bars.length > 0,
  );
  const heights = panels.map(({ bars }) => HEAD + bars.length * STEP + GAP);
  const columns = 2;
  const rowHeights: number[] = [];
  for (let i = 0; i < panels.length; i += columns) rowHeights.push(Math.max(...heights.slice(i, i + columns)));
  const height = rowHeights.reduce((sum, one) => sum + one, 0) + FOOT;
  const body = panels.map(({ title, bars }, i) => {
    const row = Math.floor(i / columns);
    const top = rowHeights.slice(0, row).reduce((sum, one) => sum + one, 0);
    return panel(title, bars, (i % columns) * (WIDTH / columns), top);
  });
  const { cpu, kernel } = results.machine;
  const foot = `${cpu}, Linux ${kernel}, one core, 64 connections, ${results.made.slice(0, 10)}: medians of interleaved rounds`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="CPU time per request, by server and mode">
<style>text{fill:#1f2328}.u{fill:#59636e}.b{fill:#9aa4ae}.o{fill:#c2410c}.bg{fill:#fff}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.u{fill:#9198a1}.b{fill:#5b636c}.o{fill:#f97316}.bg{fill:#0d1117}}</style>
<rect class="bg" width="${WIDTH}" height="${height}"/>
${body.join('\n')}
<text class="u" x="${MARGIN}" y="${height - 10}">${escaped(foot)}</text>
</svg>
`;
}

const PANELS = [
  { mode: 'plain', title: 'Plain keep-alive GET' },
  { mode: 'pipelined', title: 'Pipelined ×16' },
  { mode: 'post', title: 'POST 1 KiB' },
  { mode: 'close', title: 'Connection per request' },
] as const;

const WIDTH = 860;
const MARGIN = 16;
const LABEL = 130;
const VALUE = 60;
const HEAD = 40;
const STEP = 22;
const GAP = 14;
const FOOT = 30;

interface Bar {
  readonly title: string;
  readonly value: number;
  readonly isOurs: boolean;
}

function barsOf(results: Results, mode: string): Bar[] {
  return results.figures
    .filter((figure) => figure.mode === mode)
    .map(({ server, cpuMicros }) => ({
      title: results.servers.find((one) => one.id === server)?.title ?? server,
      value: cpuMicros,
      isOurs: server === 'vrypt',
    }))
    .toSorted((a, b) => a.value - b.value);
}

function panel(title: string, bars: readonly Bar[], left: number, top: number): string {
  const most = Math.max(...bars.map((bar) => bar.value));
  const room = WIDTH / 2 - 2 * MARGIN - LABEL - VALUE;
  const x = left + MARGIN;
  const lines = bars.map(({ title: name, value, isOurs }, i) => {
    const y = top + HEAD + i * STEP;
    const length = Math.max(1, (value / most) * room);
    const weight = isOurs ? ' font-weight="600"' : '';
    return `<text x="${x}" y="${y + 12}"${weight}>${escaped(name)}</text><rect class="${isOurs ? 'o' : 'b'}" x="${x + LABEL}" y="${y}" width="${length.toFixed(1)}" height="16" rx="2"/><text x="${(x + LABEL + length + 6).toFixed(1)}" y="${y + 12}"${weight}>${value.toFixed(value < 10 ? 2 : 1)}</text>`;
  });
  return `<text x="${x}" y="${top + 24}" font-size="14" font-weight="600">${escaped(title)} <tspan class="u" font-weight="400">µs of CPU per request</tspan></text>\n${lines.join('\n')}`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
