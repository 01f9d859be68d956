/** The form of wire cases: a case that says nothing, or something it does not mean, must not pass. */
import { describe, expect, test } from 'vitest';
import { REFUSALS, type RefusalReason } from '../../src/http/refusals.ts';
import { loadCases, readDocument } from './load-cases.ts';
import { readBytes } from './notation.ts';

function sentBy(...lines: string[]): string[] {
  return readBytes(lines).parts.map((part) => part.bytes.toString('latin1'));
}

describe('the notation of bytes', () => {
  test('joins lines without anything between them', () => {
    expect(sentBy('GET / HTTP/1.1\\r\\n', '\\r\\n')).toEqual(['GET / HTTP/1.1\r\n\r\n']);
  });

  test('has escapes', () => {
    expect(sentBy('\\r\\n\\t\\\\\\{\\"\\x00\\xff}')).toEqual(['\r\n\t\\{"\0\xff}']);
  });

  test('repeats', () => {
    expect(sentBy('{3 x "a\\r\\n"}b{2 x "\\""}')).toEqual(['a\r\na\r\na\r\nb""']);
  });

  test('is cut where the client waits', () => {
    expect(readBytes(['a{answers 1}b', '{answers 3}c{end}'])).toEqual({
      parts: [
        { afterAnswers: 0, bytes: Buffer.from('a') },
        { afterAnswers: 1, bytes: Buffer.from('b') },
        { afterAnswers: 3, bytes: Buffer.from('c') },
      ],
      ends: true,
    });
  });

  test.each([
    ['an unknown escape', '\\q'],
    ['an incomplete escape', '\\x0'],
    ['a hexadecimal escape in upper case', '\\xFF'],
    ['an unescaped brace', '{'],
    ['a repetition without quotes', '{3 x a}'],
    ['a repetition of nothing', '{3 x ""}'],
    ['a repetition of zero', '{0 x "a"}'],
    ['a repetition within a repetition', '{2 x "{2 x "a"}"}'],
    ['bytes after the end', '{end}a'],
    ['fewer answers than before', '{answers 2}{answers 1}'],
    ['a tab that looks like a space', 'a\tb'],
    ['a letter that is not ASCII', 'é'],
    ['an invisible space', 'a '],
  ])('refuses %s', (_what, line) => {
    expect(() => readBytes([line])).toThrow();
  });
});

describe('a document', () => {
  const fenced = (kind: string, ...lines: string[]) => ['```'.concat(kind), ...lines, '```', ''];
  const title = ['# Title', '', 'What it is about.', ''];
  const head = [...title, '## Answers GET', '', 'RFC 9110 §9.3.1.', ''];
  const send = fenced('send', 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n');
  const read = (...lines: string[]) => readDocument('a.md', lines.join('\n'));

  test('holds cases', () => {
    const [one, ...others] = read(...head, ...send, ...fenced('expect', '200', 'open'));
    expect(others).toEqual([]);
    expect(one).toMatchObject({ name: 'Answers GET', document: 'a.md', options: '' });
    expect(one?.expected).toEqual({
      responses: [{ status: 200, cause: null, isWithoutContent: false, closes: false, isOptional: false }],
      end: 'open',
    });
  });

  test('turns options into limits', () => {
    const options = fenced('options', '--max-body-size 16B --max-header-count 3');
    const [one] = read(...head, ...options, ...send, ...fenced('expect', '200', 'open'));
    expect(one?.limits).toMatchObject({ maxBodySize: 16, maxHeaderCount: 3, maxHeaderSize: 16_384 });
  });

  test('knows every kind of response', () => {
    const lines = ['100', '100?', '2 x 200', '200 without content', '200', '400 hostMissing without content'];
    const [one] = read(...head, ...send, ...fenced('expect', ...lines, 'closed'));
    expect(one?.expected.responses).toHaveLength(7);
    expect(one?.expected.responses.at(-1)).toEqual({
      status: 400,
      cause: 'hostMissing',
      isWithoutContent: true,
      closes: true,
      isOptional: false,
    });
  });

  const expected = (...lines: string[]) => [...head, ...send, ...fenced('expect', ...lines)];
  test.each<[string, string[]]>([
    ['without a title', [...head.slice(2), ...send, ...fenced('expect', '200', 'open')]],
    ['without a case', title],
    ['with a second title', ['# One', '# Two', ...expected('200', 'open').slice(4)]],
    ['with a heading of another level', [...head, '### More', ...send, ...fenced('expect', '200', 'open')]],
    ['with an unclosed block', expected('200', 'open').slice(0, -2)],
    ['with a block of another kind', [...head, ...send, ...fenced('http', 'GET /')]],
    ['with two blocks of a kind', [...head, ...send, ...send, ...fenced('expect', '200', 'open')]],
    ['with a block before the first case', [...title, ...send]],
    ['with two cases of the same name', [...expected('200', 'open'), ...expected('200', 'open').slice(4)]],
  ])('%s is refused', (_what, lines) => {
    expect(() => read(...lines)).toThrow('a.md');
  });

  test.each<[string, string[]]>([
    ['without prose', [...title, '## Answers GET', ...send, ...fenced('expect', '200', 'open')]],
    ['without a source', [...title, '## Answers GET', 'Of course.', ...send, ...fenced('expect', '200', 'open')]],
    ['whose name ends in a full stop', [...title, '## Answers.', '§', ...send, ...fenced('expect', '200', 'open')]],
    ['that sends nothing', [...head, ...fenced('send'), ...fenced('expect', '200', 'open')]],
    ['that expects nothing', [...head, ...send]],
    ['that has empty options', [...head, ...fenced('options'), ...send, ...fenced('expect', '200', 'open')]],
    ['that has unknown options', [...head, ...fenced('options', '--a b'), ...send, ...fenced('expect', '200', 'open')]],
    ['that does not say how it ends', expected('200')],
    ['that is open without an answer', expected('open')],
    ['that is closed without a cause', expected('200', 'closed')],
    ['that is open after close', expected('200 close', 'open')],
    ['that is open after a refusal', expected('400 hostMissing', 'open')],
    ['that goes on after close', expected('200 close', '200', 'closed')],
    ['whose refusal has no cause', expected('400', 'closed')],
    ['whose cause is unknown', expected('400 made', 'closed')],
    ['whose cause belongs to another status', expected('431 hostMissing', 'closed')],
    ['whose refusal says close', expected('400 hostMissing close', 'closed')],
    ['whose answer has a cause', expected('200 hostMissing', 'open')],
    ['whose final response is optional', expected('200?', 'open')],
    ['whose interim response says more', expected('100 close', '200', 'open')],
    [
      'whose client ends and that stays open',
      [...head, ...fenced('send', 'GET{end}'), ...fenced('expect', '200', 'open')],
    ],
    [
      'that waits for too many answers',
      [...head, ...fenced('send', 'G{answers 2}E'), ...fenced('expect', '200', 'open')],
    ],
  ])('a case %s is refused', (_what, lines) => {
    expect(() => read(...lines)).toThrow('a.md: "Answers');
  });
});

describe('all cases', () => {
  const cases = loadCases();

  test('cover every cause that bytes alone can bring about', () => {
    const beyondBytes: RefusalReason[] = [
      'contentNotJson',
      'upgradeImpossible',
      'handlerTooSlow',
      'headTooSlow',
      'bodyTooSlow',
      'requestTooSlow',
      'tooManyConnections',
      'tlsRequired',
      'handlerFailed',
    ];
    const known = new Set(cases.flatMap((one) => one.expected.responses.map((response) => response.cause)));
    const unknown = (Object.keys(REFUSALS) as RefusalReason[]).filter((cause) => !known.has(cause));
    expect(unknown.sort()).toEqual(beyondBytes.sort());
  });
});
