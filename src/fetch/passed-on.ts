/** Which fields of a request go along when Node's fetch sends it to another server. */
import type { HeaderList } from './header-list.ts';
import { fieldPairs } from './headers.ts';

/** Fields about one connection (RFC 9110 §7.6.1), and those that Node's fetch refuses to send. */
const NOT_SENT = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** For a request that is passed on: Host is the other server's, and Content-Length is computed from known content. */
export function sendableFields(
  list: HeaderList,
  isIncoming: boolean,
  isKnown: boolean,
): [name: string, value: string][] {
  const fields: [string, string][] = [];
  for (const field of fieldPairs(list)) {
    const lower = field[0].toLowerCase();
    if (NOT_SENT.has(lower) || (isIncoming && lower === 'host') || (isKnown && lower === 'content-length')) continue;
    fields.push(field);
  }
  return fields;
}
