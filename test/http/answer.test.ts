import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { Answer, CONTINUE, refusalAnswer, textAnswer } from '../../src/http/answer.ts';
import { REFUSALS, type RefusalReason } from '../../src/http/refusals.ts';
import { keepAliveFields, Persistence } from '../../src/http/reply.ts';
import { reasonPhrase } from '../../src/http/status.ts';

const date = 'Date: Sat, 21 Nov 2026 08:20:00 GMT\r\n';
const keepAlive = 'Connection: keep-alive\r\nKeep-Alive: timeout=74\r\n';
const shared = { date, keepAlive };
const text = (answer: Answer, persistence: 0 | 1 = Persistence.keepAlive, isHead = false) =>
  answer.bytes(shared, persistence, isHead).toString('latin1');

describe('an answer', () => {
  const answer = textAnswer('Vrypt');
  const fields = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n';

  test('consists of a status line, its fields, Content-Length, Date, Connection and its content', () => {
    expect(text(answer)).toBe(`${fields}${date}${keepAlive}\r\nVrypt`);
    expect(text(answer, Persistence.close)).toBe(`${fields}${date}Connection: close\r\n\r\nVrypt`);
  });

  test('to HEAD has the same fields and no content', () => {
    for (const persistence of Object.values(Persistence)) {
      expect(`${text(answer, persistence, true)}Vrypt`).toBe(text(answer, persistence));
    }
  });

  test('is made once a second', () => {
    const other = { date: 'Date: Sat, 21 Nov 2026 08:20:01 GMT\r\n', keepAlive };
    const first = answer.bytes(shared, Persistence.keepAlive, false);
    expect(answer.bytes(shared, Persistence.keepAlive, false)).toBe(first);
    const second = answer.bytes(other, Persistence.keepAlive, false);
    expect(second).not.toBe(first);
    expect(second.toString()).toContain(other.date);
    expect(first.toString()).toContain(date);
  });

  test('counts bytes, not characters', () => {
    expect(text(textAnswer('é€'))).toContain('Content-Length: 5\r\n');
  });

  test('carries values as bytes, in the order given', () => {
    const start = `HTTP/1.1 404 Not Found\r\nX-Name: a\tb \xe9\r\nX-Other: 1\r\nX-Other: 2\r\n`;
    const pairs = [
      ['X-Name', 'a\tb \xe9'],
      ['X-Other', '1'],
      ['X-Other', '2'],
    ] as const;
    expect(text(new Answer(404, pairs))).toBe(`${start}Content-Length: 0\r\n${date}${keepAlive}\r\n`);
    const record = { 'X-Name': 'a\tb \xe9', 'X-Other': ['1', '2'] };
    expect(text(new Answer(404, record))).toBe(text(new Answer(404, pairs)));
  });

  test('with an unregistered status has no reason phrase', () => {
    expect(text(new Answer(299))).toMatch(/^HTTP\/1\.1 299 \r\n/);
  });

  test.each([204, 304])('%d has no Content-Length', (status) => {
    expect(text(new Answer(status))).toBe(`HTTP/1.1 ${status} ${reasonPhrase(status)}\r\n${date}${keepAlive}\r\n`);
  });

  test.each([204, 205, 304])('%d with content is refused', (status) => {
    const make = () => new Answer(status, {}, Buffer.from('a'));
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`an answer with status ${status} must not have content, got 1 bytes`);
  });

  test.each([100, 101, 199, 600, 0, -1, 200.5, Number.NaN])('status %d is refused', (status) => {
    expect(() => new Answer(status)).toThrow(RangeError);
  });

  test.each([
    ['', 'a'],
    ['X Y', 'a'],
    ['X:', 'a'],
    ['X\r\n', 'a'],
    ['é', 'a'],
    ['ſ', 'a'],
    ['X', 'a\r\nY: b'],
    ['X', 'a\rb'],
    ['X', 'a\nb'],
    ['X', '\0'],
    ['X', '€'],
  ])('field %j with value %j is refused', (name, value) => {
    expect(() => new Answer(200, [[name, value]])).toThrow(RangeError);
  });

  test.each(['Content-Length', 'transfer-encoding', 'CONNECTION', 'Keep-Alive', 'Date'])(
    '%s can be set only by the server',
    (name) => {
      expect(() => new Answer(200, { [name]: '0' })).toThrow(`${name} must not be given: the server makes it`);
    },
  );
});

describe('the keep-alive hint', () => {
  test.each([
    [75_000, 'timeout=74'],
    [30_000, 'timeout=29'],
    [2000, 'timeout=1'],
    [2999, 'timeout=1'],
  ])('of %d ms is a second less: %s', (idleTimeoutMs, hint) => {
    expect(keepAliveFields(idleTimeoutMs)).toBe(`Connection: keep-alive\r\nKeep-Alive: ${hint}\r\n`);
  });

  test('is left out if it would be zero', () => {
    expect(keepAliveFields(1999)).toBe('Connection: keep-alive\r\n');
  });
});

describe('a refusal', () => {
  test.each(Object.keys(REFUSALS) as RefusalReason[])('%s has a status, a reason phrase and a sentence', (reason) => {
    const { status, text: sentence } = REFUSALS[reason];
    expect(status).toBeGreaterThanOrEqual(400);
    const phrase = reasonPhrase(status);
    expect(phrase).not.toBe('');
    const content = `${status} ${phrase}: ${sentence}\n`;
    expect(text(refusalAnswer(reason), Persistence.close)).toBe(
      `HTTP/1.1 ${status} ${phrase}\r\nContent-Type: text/plain\r\nContent-Length: ${content.length}\r\n` +
        `${date}Connection: close\r\n\r\n${content}`,
    );
  });

  test('is prepared once', () => {
    expect(refusalAnswer('hostMissing')).toBe(refusalAnswer('hostMissing'));
  });

  test('is recognizable by its sentence', () => {
    const sentences = Object.values(REFUSALS).map((refusal) => refusal.text);
    expect(new Set(sentences).size).toBe(sentences.length);
  });
});

test('the interim answer has no fields', () => {
  expect(CONTINUE.toString('latin1')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
});
