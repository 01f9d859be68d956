/** The head of a part in multipart/form-data (RFC 7578 §4): name, filename, type. */
import { Buffer } from 'node:buffer';
import { hasControls, isToken, parseParameterized, trimOws } from './field-syntax.ts';

export interface PartHead {
  readonly name: string;
  /** As the client sent it; null for an ordinary field. Never use it as a path: see `baseName`. */
  readonly filename: string | null;
  /** As the client declared it; "text/plain" by default (RFC 7578 §4.4). */
  readonly type: string;
}

/** Parses a head without its empty line, decoded from UTF-8 (RFC 7578 §5.1.2). Null if it is malformed. */
export function parsePartHead(text: string): PartHead | null {
  let disposition: string | null = null;
  let type: string | null = null;
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1 || !isToken(line.slice(0, colon))) return null;
    const value = trimOws(line.slice(colon + 1));
    if (hasControls(value.replaceAll('\t', ' '))) return null;
    const name = line.slice(0, colon).toLowerCase();
    if (name === 'content-disposition') {
      if (disposition !== null) return null;
      disposition = value;
    } else if (name === 'content-type') {
      if (type !== null) return null;
      type = value;
    } else if (name === 'content-transfer-encoding' && !/^(?:7bit|8bit|binary)$/i.test(value)) {
      // Deprecated (RFC 7578 §4.7). Passing encoded content on as if it were decoded would corrupt it.
      return null;
    }
  }
  const parsed = disposition === null ? null : parseParameterized(disposition);
  const name = parsed?.parameters.get('name');
  if (parsed === null || parsed.value !== 'form-data' || name === undefined) return null;
  const plain = parsed.parameters.get('filename');
  const extended = parsed.parameters.get('filename*');
  // filename* has priority if it can be decoded (RFC 6266 §4.3).
  const decoded = extended === undefined ? null : decodeExtended(extended);
  const filename = decoded ?? (plain === undefined ? null : unescapeForm(plain));
  return { name: unescapeForm(name), filename, type: type ?? 'text/plain' };
}

/**
 * Makes a safe file name: the part after the last slash or backslash, without control characters and leading dots; `fallback`
 * if nothing is left. It is not unique.
 */
export function baseName(filename: string, fallback = 'file'): string {
  const slash = Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\'));
  const last = filename.slice(slash + 1);
  const name = (hasControls(last) ? withoutControls(last) : last)
    .replace(/[<>:"|?*]/g, '')
    .replace(/^[. ]+|[. ]+$/g, '');
  let end = Math.min(name.length, 200);
  // File systems limit names to 255 bytes.
  while (Buffer.byteLength(name.slice(0, end)) > 200) end--;
  const cut = name.slice(0, end).toWellFormed();
  return cut === '' ? fallback : cut;
}

/** Browsers escape only `"`, CR and LF, as %22, %0D and %0A (HTML standard, multipart/form-data encoding). */
function unescapeForm(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%(22|0[dD]|0[aA])/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Decodes `UTF-8''na%C3%AFve.txt` (RFC 8187 §3.2); null if it is malformed. */
function decodeExtended(text: string): string | null {
  const match = /^([A-Za-z0-9-]+)'[A-Za-z0-9-]*'((?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)$/.exec(text);
  if (match === null) return null;
  const [, charset = '', value = ''] = match;
  if (charset.toLowerCase() === 'iso-8859-1') {
    return value.replace(/%(..)/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  if (charset.toLowerCase() !== 'utf-8') return null;
  try {
    return decodeURIComponent(value);
  } catch {
    return null;
  }
}

function withoutControls(text: string): string {
  return Array.from(text)
    .filter((char) => !hasControls(char))
    .join('');
}
