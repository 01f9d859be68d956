/** The bars of the web server, and whether the figures reach them. Pure. */
import type { CaseId } from './cases.ts';

export interface Measured {
  readonly server: string;
  readonly case: CaseId;
  /** Medians over the rounds. */
  readonly cpuMicros: number;
  readonly p99Micros: number;
  readonly errors: number;
  /** Medians of the ratios of CPU time to other servers' in the same round. */
  readonly ratios: Readonly<Record<string, number | null>>;
}

/** Ratios of CPU time. */
const BARS: readonly (readonly [id: CaseId, peers: readonly string[], limit: number])[] = [
  ['file-1k', ['nginx'], 0.8],
  ['file-1k', ['lighttpd'], 1.05],
  ['file-10k', ['nginx'], 0.9],
  ['file-10k', ['lighttpd'], 1.05],
  ['file-100k', ['nginx'], 1],
  ['file-1m', ['nginx'], 1.3],
  ['proxy', ['nginx', 'haproxy'], 1.1],
  ['proxy', ['http-proxy'], 0.25],
  ['tls', ['haproxy'], 1],
  ['tls-new', ['nginx'], 1.4],
  ['h2', ['nginx'], 2],
];

/** What, limit, got, verdict. */
export function webBars(measured: readonly Measured[]): string[][] {
  const find = (server: string, id: CaseId) => measured.find((one) => one.server === server && one.case === id);
  const rows = BARS.flatMap(([id, peers, limit]) => {
    const ours = find('vrypt', id);
    // The better of them is the one that we cost more than.
    const ratios = peers.flatMap((peer) => ours?.ratios[peer] ?? []);
    return ratios.length === 0 ? [] : [row(`${id}, CPU to ${peers.join(' or ')}`, Math.max(...ratios), limit)];
  });
  const all = find('vrypt-all', 'compressed')?.ratios['vrypt'];
  if (all !== undefined && all !== null) rows.push(row('everything on, CPU to the bare route', all, 1.25));
  const [ours, nginx] = [find('vrypt', 'proxy'), find('nginx', 'proxy')];
  if (ours !== undefined && nginx !== undefined)
    rows.push(row('proxy, p99 to nginx', ours.p99Micros / nginx.p99Micros, 1));
  return rows;
}

function row(what: string, got: number, limit: number): string[] {
  return [what, `≤ ${limit} ×`, `${got.toFixed(2)} ×`, got <= limit ? 'met' : 'NOT MET'];
}
