/** The head of a CGI response (RFC 3875 §6) as that of an HTTP/1.1 response. Pure. */
import { reasonPhrase } from '../http/status.ts';

export interface CgiHead {
  readonly status: number;
  /** Status line and fields as lines with CR LF, without what frames content: whoever sends it on says that. */
  readonly lines: string;
  /** -1: it does not say. */
  readonly contentLength: number;
}

const STATUS = /^([2-5]\d\d)(?:[ \t]+([\t\x20-\x7e\x80-\xff]*))?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = /^\d{1,15}$/;

/** `text` is all up to the empty line, one character a byte. Returns what is wrong with it as a string. */
export function readCgiHead(text: string): CgiHead | string {
  let status = 0;
  let reason = '';
  let contentLength = -1;
  let hasLocation = false;
  let fields = '';
  let count = 0;
  for (const line of text.split('\n')) {
    const field = line.endsWith('\r') ? line.slice(0, -1) : line;
    if (field === '') continue;
    const colon = field.indexOf(':');
    const name = field.slice(0, Math.max(colon, 0));
    const value = field.slice(colon + 1).trim();
    if (!NAME.test(name)) return 'a line of its head is not a field';
    count++;
    switch (name.toLowerCase()) {
      case 'status': {
        const [, code, phrase = ''] = STATUS.exec(value) ?? [];
        if (code === undefined) return 'Status is not a number from 200 to 599';
        if (status !== 0) return 'it has two fields Status';
        status = Number(code);
        reason = phrase;
        continue;
      }
      case 'content-length':
        if (!LENGTH.test(value)) return 'Content-Length is not a number';
        if (contentLength >= 0 && contentLength !== Number(value)) return 'it has two different lengths';
        contentLength = Number(value);
        continue;
      case 'transfer-encoding':
        // RFC 3875 has no codings of transfer: an application that applies one would be framed twice.
        return 'it has a Transfer-Encoding';
      case 'location':
        hasLocation = true;
    }
    fields += `${name}: ${value}\r\n`;
  }
  if (count === 0) return 'its head has no field';
  // RFC 3875 §6.2: without a status it is a redirect if it has a Location.
  if (status === 0) status = hasLocation ? 302 : 200;
  const line = `HTTP/1.1 ${status} ${reason === '' ? reasonPhrase(status) : reason}\r\n`;
  return { status, lines: line + fields, contentLength };
}
