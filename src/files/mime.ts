/** The Content-Type of a file by its extension: mrmime's table and our charset rule. */
import { mimes } from 'mrmime';

const UNKNOWN = 'application/octet-stream';
/** Text outside of `text/…`. JSON has no charset (RFC 8259 §11), and XML declares its own. */
const TEXT_TYPES: ReadonlySet<string> = new Set(['application/javascript', 'application/x-javascript']);

/** `text/html; charset=utf-8` for `a/index.HTML`. Assumes UTF-8 for text. */
export function contentTypeOf(path: string): string {
  const dot = path.lastIndexOf('.');
  if (dot <= path.lastIndexOf('/')) return UNKNOWN;
  const extension = path.slice(dot + 1).toLowerCase();
  const type = Object.hasOwn(mimes, extension) ? (mimes[extension] as string) : UNKNOWN;
  return type.startsWith('text/') || TEXT_TYPES.has(type) ? `${type}; charset=utf-8` : type;
}
