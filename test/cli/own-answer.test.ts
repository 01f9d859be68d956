import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type AppSource, VRYPT } from '../../src/app/source.ts';
import { resolveSettings } from '../../src/cli/settings.ts';

type Typed = Record<string, readonly string[]>;

function appOf(typed: Typed, environment: Record<string, string> = {}): AppSource {
  return resolveSettings(typed, environment).app;
}

const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-answer-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

const PLAIN = ['Content-Type', 'text/plain'] as const;

describe('own answers', () => {
  test.each<[Typed, number, readonly (readonly [string, string])[], string]>([
    [{}, 200, [PLAIN], 'Vrypt'],
    [{ text: ['hello'] }, 200, [PLAIN], 'hello'],
    [{ text: ['-x'], status: ['404'] }, 404, [PLAIN], '-x'],
    [{ text: ['a', 'b'] }, 200, [PLAIN], 'b'],
    [{ text: ['grüß'] }, 200, [['Content-Type', 'text/plain; charset=utf-8']], 'grüß'],
    [{ text: [''] }, 200, [], ''],
    [{ text: ['two\r\nlines'] }, 200, [PLAIN], 'two\r\nlines'],
    [{ status: ['503'] }, 503, [PLAIN], 'Vrypt'],
    [{ status: ['204'] }, 204, [], ''],
    [{ status: ['304'], header: ['ETag: "1"'] }, 304, [['ETag', '"1"']], ''],
    [{ status: ['205'], text: [''] }, 205, [], ''],
    [{ text: ['{}'], header: ['content-type: application/json'] }, 200, [['content-type', 'application/json']], '{}'],
    [
      { header: ['Set-Cookie: a=1', 'Set-Cookie:b=2'] },
      200,
      [PLAIN, ['Set-Cookie', 'a=1'], ['Set-Cookie', 'b=2']],
      'Vrypt',
    ],
    [{ header: ['X-Empty:', 'X: \t a: b \t'] }, 200, [PLAIN, ['X-Empty', ''], ['X', 'a: b']], 'Vrypt'],
  ])('%j', (typed, status, fields, content) => {
    const app = appOf(typed);
    expect(app).toMatchObject({ kind: 'respond', status, fields });
    expect(app.kind === 'respond' && Buffer.from(app.content).toString()).toBe(content);
  });

  test('without any option the answer is the default one', () => {
    const app = appOf({});
    expect({ ...app, content: app.kind === 'respond' && new Uint8Array(app.content) }).toEqual(VRYPT);
  });

  test.each([
    ['page.html', 'text/html; charset=utf-8'],
    ['PAGE.HTML', 'text/html; charset=utf-8'],
    ['a.json', 'application/json'],
    ['a.tar.gz', 'application/octet-stream'],
    ['noextension', 'application/octet-stream'],
    ['.html', 'application/octet-stream'],
  ])('a file %s is sent as %s', (name, type) => {
    const content = new Uint8Array([0, 255, 13, 10]);
    const file = fileWith(name, content);
    expect(appOf({ 'body-file': [file] })).toMatchObject({
      kind: 'respond',
      status: 200,
      fields: [['Content-Type', type]],
    });
    const app = appOf({}, { VRYPT_BODY_FILE: file });
    expect(app.kind === 'respond' && new Uint8Array(app.content)).toEqual(content);
  });

  test('a file larger than one read is complete', () => {
    const app = appOf({ 'body-file': [fileWith('large', Buffer.alloc(700_001, 'ab'))] });
    expect(app.kind === 'respond' && Buffer.compare(app.content, Buffer.alloc(700_001, 'ab'))).toBe(0);
  });

  test('an empty file is allowed with any status', () => {
    expect(appOf({ 'body-file': [fileWith('empty.txt', '')], status: ['204'] })).toMatchObject({
      status: 204,
      fields: [],
    });
  });

  test('echo answers with JSON, its status and headers', () => {
    expect(appOf({ echo: [''] })).toEqual({
      kind: 'echo',
      status: 200,
      fields: [],
    });
    expect(appOf({ status: ['418'], header: ['A: b', 'Content-Type: x/y'] }, { VRYPT_ECHO: '1' })).toEqual({
      kind: 'echo',
      status: 418,
      fields: [
        ['A', 'b'],
        ['Content-Type', 'x/y'],
      ],
    });
  });

  test('what is typed wins over the environment', () => {
    const app = appOf({ text: ['typed'] }, { VRYPT_BODY_FILE: '/nowhere', VRYPT_ECHO: '1', VRYPT_STATUS: '201' });
    expect(app).toMatchObject({ kind: 'respond', status: 201, content: Buffer.from('typed') });
  });

  test('headers from the environment are one per line', () => {
    expect(appOf({}, { VRYPT_HEADER: 'A: 1\nB: 2' })).toMatchObject({ fields: [PLAIN, ['A', '1'], ['B', '2']] });
  });

  const form = "must be 'Name: value', the name a token and the value printable ASCII, got";
  const own = 'which the server writes itself, got';
  test.each<[Typed, Record<string, string>, string]>([
    [{ text: ['a'], 'body-file': ['b'] }, {}, '--text and --body-file must not be given together'],
    [{ text: ['a'], echo: [''] }, {}, '--text and --echo must not be given together'],
    [{ 'body-file': ['a'], echo: [''] }, {}, '--body-file and --echo must not be given together'],
    [{}, { VRYPT_TEXT: 'a', VRYPT_ECHO: 'yes' }, 'VRYPT_TEXT and VRYPT_ECHO must not be given together'],
    [{ status: ['204'], text: ['a'] }, {}, '--status 204 must have no content (RFC 9110 §15), got --text'],
    [{ status: ['205'], text: ['a'] }, {}, '--status 205 must have no content (RFC 9110 §15), got --text'],
    [{ status: ['304'] }, { VRYPT_TEXT: 'a' }, '--status 304 must have no content (RFC 9110 §15), got VRYPT_TEXT'],
    [{ status: ['204'], echo: [''] }, {}, '--status 204 must have no content (RFC 9110 §15), got --echo'],
    [{ status: ['100'] }, {}, '--status must be a whole number from 200 to 599, got "100"'],
    [{ status: ['101'] }, {}, '--status must be a whole number from 200 to 599, got "101"'],
    [{ status: ['600'] }, {}, '--status must be a whole number from 200 to 599, got "600"'],
    [{}, { VRYPT_STATUS: '1xx' }, 'VRYPT_STATUS must be a whole number from 200 to 599, got "1xx"'],
    [{ header: ['A'] }, {}, `--header ${form} "A"`],
    [{ header: [''] }, {}, `--header ${form} ""`],
    [{ header: [': a'] }, {}, `--header ${form} ": a"`],
    [{ header: ['A : b'] }, {}, `--header ${form} "A : b"`],
    [{ header: ['A: b\r\nC: d'] }, {}, `--header ${form} "A: b\\r\\nC: d"`],
    [{ header: ['A: b\n'] }, {}, `--header ${form} "A: b\\n"`],
    [{ header: ['A: b\rc'] }, {}, `--header ${form} "A: b\\rc"`],
    [{ header: ['A: b\0'] }, {}, `--header ${form} "A: b\\u0000"`],
    [{ header: ['A: ü'] }, {}, `--header ${form} "A: ü"`],
    [{ header: ['Ä: b'] }, {}, `--header ${form} "Ä: b"`],
    [{ header: ['Content-Length: 5'] }, {}, `--header must not set Content-Length, ${own} "Content-Length: 5"`],
    [
      { header: ['transfer-encoding: chunked'] },
      {},
      `--header must not set transfer-encoding, ${own} "transfer-encoding: chunked"`,
    ],
    [{ header: ['CONNECTION: close'] }, {}, `--header must not set CONNECTION, ${own} "CONNECTION: close"`],
    [{}, { VRYPT_HEADER: 'Date: now' }, `VRYPT_HEADER must not set Date, ${own} "Date: now"`],
    [{ header: ['Keep-Alive: timeout=5'] }, {}, `--header must not set Keep-Alive, ${own} "Keep-Alive: timeout=5"`],
    [
      { header: ['Content-Type: a/b', 'content-type: c/d'] },
      {},
      '--header must set content-type only once, got "content-type: c/d" again',
    ],
    [{ 'body-file': [''] }, {}, '--body-file must be the path of a file, got ""'],
    [{ 'body-file': ['/no/such'] }, {}, '--body-file must be a file that can be read, got "/no/such" (ENOENT)'],
    [{}, { VRYPT_BODY_FILE: '/' }, 'VRYPT_BODY_FILE must be a file that can be read, got "/" (EISDIR)'],
    [{ 'body-file': ['/dev/zero'] }, {}, '--body-file must be a file of at most 64MiB, got "/dev/zero"'],
  ])('%j with %j is refused', (typed, environment, message) => {
    expect(() => appOf(typed, environment)).toThrow(expect.objectContaining({ name: 'UsageError', message }));
  });
});
