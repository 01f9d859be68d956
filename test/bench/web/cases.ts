/** What is asked of web servers: one row a case. Pure. */

/** Which listener of a server is asked; each has a port of its own, at this distance from the server's first. */
export const LISTENERS = { files: 0, proxy: 1, tls: 2 } as const;
export type ListenerName = keyof typeof LISTENERS;

/** Files by name with their size; text that shrinks like a page. */
export const FILES = { '1k.html': 1000, '10k.html': 10_000, '100k.html': 100_000, '1m.html': 1_000_000 } as const;

export interface Case {
  readonly id: string;
  readonly title: string;
  readonly listener: ListenerName;
  readonly path: string;
  readonly client: 'wrk' | 'h2load';
  readonly fields: readonly string[];
  readonly connections: number;
}

const small = '/1k.html';

export const CASES = [
  wrk('file-1k', 'file, 1 KB', 'files', small),
  wrk('file-10k', 'file, 10 KB', 'files', '/10k.html'),
  wrk('file-100k', 'file, 100 KB', 'files', '/100k.html'),
  wrk('file-1m', 'file, 1 MB', 'files', '/1m.html', 16),
  wrk('proxy', 'proxy, keep-alive on both sides, 1 KB', 'proxy', small),
  wrk('tls', 'TLS 1.3, keep-alive, 1 KB', 'tls', small),
  { ...wrk('tls-new', 'TLS 1.3, a connection for each request', 'tls', small), fields: ['Connection: close'] },
  { ...wrk('h2', 'HTTP/2 over TLS, 1 KB, 10 streams at once', 'tls', small, 16), client: 'h2load' },
  { ...wrk('compressed', 'file, 1 KB, gzip wanted', 'files', small), fields: ['Accept-Encoding: gzip'] },
] as const satisfies readonly Case[];

/** What is measured besides: memory of clients that wait, of WebSockets, and starts. */
export const EXTRAS = ['idle', 'web-sockets', 'start'] as const;

export type CaseId = (typeof CASES)[number]['id'];

function wrk<Id extends string>(
  id: Id,
  title: string,
  listener: ListenerName,
  path: string,
  connections = 64,
): Case & { readonly id: Id } {
  return { id, title, listener, path, client: 'wrk', fields: [], connections };
}

/** As wrk.lua reads it. */
export function requestOf({ path, fields }: Case): string {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: localhost', ...fields, '', ''].join('\r\n');
  return `${lines.length} ${lines}`;
}

/** A page of so many bytes. */
export function pageOf(size: number): string {
  let text = '<!doctype html><title>A page</title>\n';
  for (let line = 0; text.length < size; line++) {
    text += `<p id="p${line}">Line ${line} has the number ${Math.imul(line + 1, 0x9e3779b1) >>> 0} in it.</p>\n`;
  }
  return text.slice(0, size);
}
