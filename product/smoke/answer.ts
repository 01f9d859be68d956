/** What an answer must be, byte for byte; every difference is a sentence with the value. */
import { shown } from '../../scripts/smoke/shown.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { expected } from './expected.ts';

export interface Wanted {
  /** Default: the program's own. */
  readonly content?: string;
  /** HEAD has the fields of a content that does not follow. */
  readonly isHead?: boolean;
  /** HTTP/1.0 may be answered as such. */
  readonly versions?: readonly string[];
}

/** Takes one answer, and the time at which its request was sent. */
export function assertAnswer(answer: string, sentAt: number, wanted: Wanted = {}): void {
  const { content = expected.content, isHead = false, versions = ['HTTP/1.1'] } = wanted;
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) throw new Failure(`it must answer with a head, got ${shown(answer)}`);
  const [line = '', ...lines] = answer.slice(0, end).split('\r\n');
  const statusLines = versions.map((version) => `${version} ${expected.status}`);
  if (!statusLines.includes(line))
    throw new Failure(`the status line must be ${statusLines.join(' or ')}, got ${shown(line)}`);
  const fields = lines.map(fieldOf);
  const fixed = { ...expected.fields, 'Content-Length': String(Buffer.byteLength(content)) };
  for (const [name, value] of Object.entries(fixed)) {
    const values = fields.filter(([each]) => each === name).map(([, got]) => got);
    if (values.length !== 1 || values[0] !== value) {
      throw new Failure(`the field ${name} must be ${value}, got ${values.join(' and ') || 'none'}`);
    }
  }
  const known = [...Object.keys(fixed), ...expected.otherFields];
  const extra = fields.filter(([name]) => !known.includes(name));
  if (extra.length > 0) {
    throw new Failure(
      `it must send only the fields ${known.join(', ')}, got ${extra.map(([a, b]) => `${a}: ${b}`).join(', ')}`,
    );
  }
  assertDate(fields, sentAt);
  const body = answer.slice(end + 4);
  if (isHead && body !== '') throw new Failure(`it must send no content after the head of HEAD, got ${shown(body)}`);
  if (!isHead && body !== content) throw new Failure(`the content must be ${shown(content)}, got ${shown(body)}`);
}

export function assertRefusal(answer: string, request: string, status: number): void {
  const got = /^HTTP\/1\.[01] (\d{3}) /.exec(answer)?.[1];
  if (got === String(status)) return;
  const asked = shown(request.slice(0, 60));
  throw new Failure(`${asked} must be refused with ${status}, got ${got ?? shown(answer)}`);
}

/** Times on the wire have whole seconds, and a server's clock may be one tick behind. */
function assertDate(fields: readonly (readonly [string, string])[], sentAt: number): void {
  const [date = 'none', ...more] = fields.filter(([name]) => name === 'Date').map(([, value]) => value);
  const time = Date.parse(date);
  const isForm = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(date) && more.length === 0;
  if (isForm && time >= sentAt - 2_500 && time <= Date.now() + 1_000) return;
  throw new Failure(
    `the field Date must be the time, ${new Date(sentAt).toUTCString()}, got ${[date, ...more].join(' and ')}`,
  );
}

function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(': ');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 2)];
}
