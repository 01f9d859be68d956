/** The options that say what is answered, and the `AppSource` that they come to. Reads --body-file, once. */
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import type { AppSource } from '../app/source.ts';
import { MADE_BY_SERVER } from '../http/fields.ts';
import { formatSize, type Rule, text, wholeNumber } from '../rules/rules.ts';
import type { OptionRow, Resolved } from './options.ts';
import { UsageError } from './usage-error.ts';

type Field = readonly [name: string, value: string];

/** RFC 9110 §5.1 and §5.5; values in ASCII, as §5.5 asks of new fields. */
const FIELD: Rule<Field> = {
  placeholder: 'name: value',
  requirement: "'Name: value', the name a token and the value printable ASCII",
  read: (typed) => {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(typed) ?? [];
    return name === '' ? undefined : [name, value.trimEnd()];
  },
};

export const ANSWER_ROWS = [
  {
    name: 'text',
    // Empty text is content too.
    rule: { placeholder: 'text', requirement: 'text', read: (typed: string) => typed },
    default: 'Vrypt',
    excludes: ['body-file', 'echo'],
    help: 'content of the answer, sent as text/plain',
  },
  {
    name: 'body-file',
    rule: text('path', 'the path of a file'),
    excludes: ['echo'],
    help: 'content of the answer from a file, read once at the start, with a Content-Type by its extension (application/octet-stream if unknown)',
  },
  {
    name: 'status',
    rule: wholeNumber(200, 599),
    default: '200',
    help: 'status of the answer',
  },
  {
    name: 'header',
    rule: FIELD,
    isRepeatable: true,
    help: "header of the answer, such as 'Cache-Control: no-store'; may be repeated (environment: one on each line)",
  },
  {
    name: 'echo',
    help: 'answer with the request as JSON: method, target, headers, address',
  },
] as const satisfies readonly OptionRow[];

/** A second one would contradict the first. */
const SINGLE: ReadonlySet<string> = new Set(['content-type', 'etag', 'last-modified', 'location']);

/** RFC 9110 §15.3.5, §15.3.6 and §15.4.5. */
const STATUSES_WITHOUT_CONTENT: ReadonlySet<number> = new Set([204, 205, 304]);

/** By extension. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.htm': 'text/html; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
};

/** Every worker holds a copy. */
const MAX_FILE_SIZE = 64 * 1024 ** 2;

interface Content {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/** Throws a UsageError if the options contradict each other or the file cannot be read. */
export function resolveApp({ values, sources }: Resolved<typeof ANSWER_ROWS>): AppSource {
  const { status, header: fields, echo } = values;
  const hasContent = !STATUSES_WITHOUT_CONTENT.has(status);
  checkFields(fields, sources.header?.label ?? '--header');
  const statusLabel = `${sources.status?.label ?? '--status'} ${status}`;
  if (echo) {
    if (!hasContent) throw contradiction(statusLabel, sources.echo?.label ?? '--echo');
    return { kind: 'echo', status, fields };
  }
  const source = sources['body-file'] ?? sources.text;
  if (source === undefined && !hasContent) return { kind: 'respond', status, fields, content: new Uint8Array() };
  const { bytes, type } =
    values['body-file'] === undefined
      ? textContent(values.text)
      : fileContent(values['body-file'], source?.label ?? '--body-file');
  if (bytes.length > 0 && !hasContent) throw contradiction(statusLabel, source?.label ?? '--text');
  return { kind: 'respond', status, fields: bytes.length > 0 ? withType(fields, type) : fields, content: bytes };
}

function checkFields(fields: readonly Field[], label: string): void {
  const seen = new Set<string>();
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (MADE_BY_SERVER.has(lower)) {
      throw new UsageError(
        `${label} must not set ${name}, which the server writes itself, got ${JSON.stringify(`${name}: ${value}`)}`,
      );
    }
    if (SINGLE.has(lower) && seen.has(lower))
      throw new UsageError(`${label} must set ${name} only once, got ${JSON.stringify(`${name}: ${value}`)} again`);
    seen.add(lower);
  }
}

function contradiction(status: string, label: string): UsageError {
  return new UsageError(`${status} must have no content (RFC 9110 §15), got ${label}`);
}

function withType(fields: readonly Field[], type: string): readonly Field[] {
  return fields.some(([name]) => name.toLowerCase() === 'content-type') ? fields : [['Content-Type', type], ...fields];
}

/** Without a charset, text/plain is ASCII (RFC 2046 §4.1.2). */
function textContent(typed: string): Content {
  const bytes = Buffer.from(typed, 'utf8');
  return { bytes, type: bytes.length === typed.length ? 'text/plain' : 'text/plain; charset=utf-8' };
}

function fileContent(file: string, label: string): Content {
  const type = CONTENT_TYPES[path.extname(file).toLowerCase()] ?? 'application/octet-stream';
  try {
    const bytes = readUpTo(file, MAX_FILE_SIZE + 1);
    if (bytes.length <= MAX_FILE_SIZE) return { bytes, type };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`${label} must be a file that can be read, got ${JSON.stringify(file)} (${code})`);
  }
  throw new UsageError(`${label} must be a file of at most ${formatSize(MAX_FILE_SIZE)}, got ${JSON.stringify(file)}`);
}

/** Bounded, because a device such as /dev/zero never ends. */
function readUpTo(file: string, limit: number): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total < limit; ) {
      const chunk = Buffer.allocUnsafe(Math.min(256 * 1024, limit - total));
      const count = readSync(descriptor, chunk);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}
