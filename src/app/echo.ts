/** Answers with the request itself, as JSON: what a proxy has made of it, what a client really sends. */
import type { Handler } from '../engine/call.ts';
import { Answer } from '../http/answer.ts';
import type { FieldPairs } from './source.ts';

export function echo(status: number, fields: FieldPairs): Handler {
  const hasType = fields.some(([name]) => name.toLowerCase() === 'content-type');
  const all: FieldPairs = hasType ? fields : [['Content-Type', 'application/json'], ...fields];
  return (call) => {
    const { method, target, version, remote } = call;
    const request = { method, target, version, headers: headersOf(call.fields()), remote };
    return new Answer(status, all, `${JSON.stringify(request, null, 2)}\n`);
  };
}

/** Names in lower case; a field that came several times is a list. */
function headersOf(fields: Iterable<readonly [string, string]>): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    const before = headers[key];
    headers[key] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return headers;
}
