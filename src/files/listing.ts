/** Renders the page that lists a directory. File names are untrusted: they must never become markup or links to elsewhere. */
import { type Dirent, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { formatHttpDate } from '../content/http-date.ts';
import { isBelow, statOf } from './open-representation.ts';
import { encodeName } from './path.ts';

/** Longer listings are truncated, with a note. */
const MAX_ENTRIES = 10_000;
/** The policy lets the page neither run nor load anything. */
export const LISTING_FIELDS: readonly (readonly [name: string, value: string])[] = [
  ['Content-Type', 'text/html; charset=utf-8'],
  ['Cache-Control', 'no-cache'],
  ['Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'"],
  ['X-Content-Type-Options', 'nosniff'],
];

interface Entry {
  readonly name: string;
  readonly isDirectory: boolean;
  readonly size: number;
  readonly modifiedMs: number;
}

/** Null if the directory cannot be read. `segments` are the names on the way from the root. */
export function renderListing(
  directory: string,
  segments: readonly string[],
  options: { readonly root: string | null; readonly showsDotfiles: boolean },
): string | null {
  let names: Dirent[];
  try {
    names = readdirSync(directory, { withFileTypes: true });
  } catch {
    return null;
  }
  const shown = names.filter(({ name }) => options.showsDotfiles || !name.startsWith('.'));
  const entries = shown
    .slice(0, MAX_ENTRIES)
    .map((dirent) => describe(directory, dirent, options.root))
    .filter((entry) => entry !== null)
    .sort(compare);
  return page(segments, entries, shown.length > MAX_ENTRIES);
}

/** Null for entries that would not be served. */
function describe(directory: string, dirent: Dirent, root: string | null): Entry | null {
  const full = path.join(directory, dirent.name);
  const stats = statOf(full);
  if (stats === null || (!stats.isFile() && !stats.isDirectory())) return null;
  if (dirent.isSymbolicLink() && root !== null && !leadsBelow(full, root)) return null;
  return { name: dirent.name, isDirectory: stats.isDirectory(), size: stats.size, modifiedMs: stats.mtimeMs };
}

function leadsBelow(full: string, root: string): boolean {
  try {
    return isBelow(realpathSync(full), root);
  } catch {
    return false;
  }
}

/** Directories first, then by code unit, since the runtimes have no Intl. */
function compare(a: Entry, b: Entry): number {
  if (a.isDirectory !== b.isDirectory) return a.isDirectory ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function page(segments: readonly string[], entries: readonly Entry[], isCut: boolean): string {
  const title = escapeHtml(`/${segments.map((segment) => `${segment}/`).join('')}`);
  const rows = entries.map(row);
  if (segments.length > 0) rows.unshift('<tr><td><a href="../">../</a></td><td></td><td></td></tr>');
  const note = isCut ? `<p>Only the first ${MAX_ENTRIES} entries are shown.</p>\n` : '';
  return (
    `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n` +
    `<title>${title}</title>\n<style>body{font-family:sans-serif}td{padding:0 1em}td+td{text-align:right}</style>\n` +
    `<h1>${title}</h1>\n${note}<table>\n${rows.join('\n')}\n</table>\n</html>\n`
  );
}

function row({ name, isDirectory, size, modifiedMs }: Entry): string {
  const slash = isDirectory ? '/' : '';
  // "./" keeps a name with a colon from being read as a URL scheme.
  const href = `./${encodeName(name)}${slash}`;
  const text = escapeHtml(`${name}${slash}`);
  return `<tr><td><a href="${escapeHtml(href)}">${text}</a></td><td>${isDirectory ? '' : size}</td><td>${formatHttpDate(modifiedMs)}</td></tr>`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
