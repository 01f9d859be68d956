/** Fields of a request as `node:quic` has them, as names and values in turn. */
import type { RawFields } from '../engine/http2-fields.ts';
import type { QuicFields } from './quic.ts';

export function rawFieldsOf(fields: QuicFields): RawFields {
  const raw: string[] = [];
  for (const name in fields) {
    const value = fields[name] as string | readonly string[];
    if (typeof value === 'string') raw.push(name, value);
    else for (const one of value) raw.push(name, one);
  }
  return raw;
}
