import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { Answer, CONTINUE, Persistence, refusalAnswer, textAnswer } from '../../src/http/answer.ts';
import { type Cause, REFUSALS } from '../../src/http/refusals.ts';

const date = { text: 'Sat, 21 Nov 2026 08:20:00 GMT' };
const nothing = Buffer.alloc(0);
const text = (answer: Answer, persistence: 0 | 1 | 2 = Persistence.implied, isHead = false) =>
  answer.octets(date, persistence, isHead).toString('latin1');

describe('an answer', () => {
  const answer = textAnswer('Vrypt');
  const fields = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n';

  test('is a status line, its fields, Content-Length, Date, and its content', () => {
    expect(text(answer)).toBe(`${fields}Date: ${date.text}\r\n\r\nVrypt`);
  });

  test('says that the connection persists, or that it does not', () => {
    expect(text(answer, Persistence.keepAlive)).toBe(
      `${fields}Date: ${date.text}\r\nConnection: keep-alive\r\n\r\nVrypt`,
    );
    expect(text(answer, Persistence.close)).toBe(`${fields}Date: ${date.text}\r\nConnection: close\r\n\r\nVrypt`);
  });

  test('to HEAD has the same fields and no content', () => {
    for (const persistence of Object.values(Persistence)) {
      expect(`${text(answer, persistence, true)}Vrypt`).toBe(text(answer, persistence));
    }
  });

  test('is made once a second', () => {
    const other = { text: 'Sat, 21 Nov 2026 08:20:01 GMT' };
    const first = answer.octets(date, Persistence.implied, false);
    expect(answer.octets(date, Persistence.implied, false)).toBe(first);
    const second = answer.octets(other, Persistence.implied, false);
    expect(second).not.toBe(first);
    expect(second.toString()).toContain(other.text);
    expect(first.toString()).toContain(date.text);
  });

  test('counts octets, not characters', () => {
    expect(text(textAnswer('é€'))).toContain('Content-Length: 5\r\n');
  });

  test('carries fields as octets', () => {
    const parts = { status: 404, reason: 'Not Found', body: nothing };
    const one = new Answer({ ...parts, fields: [['X-Name', 'a\tb \xe9']] });
    expect(text(one)).toBe(
      `HTTP/1.1 404 Not Found\r\nX-Name: a\tb \xe9\r\nContent-Length: 0\r\nDate: ${date.text}\r\n\r\n`,
    );
  });

  test.each([204, 304])('%d has no Content-Length', (status) => {
    expect(text(new Answer({ status, reason: 'R', fields: [], body: nothing }))).toBe(
      `HTTP/1.1 ${status} R\r\nDate: ${date.text}\r\n\r\n`,
    );
  });

  test.each([204, 205, 304])('%d with content is refused', (status) => {
    const make = () => new Answer({ status, reason: 'R', fields: [], body: Buffer.from('a') });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`status ${status} wants no content, got 1 octets`);
  });

  test.each([100, 101, 199, 600, 0, -1, 200.5, Number.NaN])('status %d is refused', (status) => {
    expect(() => new Answer({ status, reason: '', fields: [], body: nothing })).toThrow(RangeError);
  });

  test.each(['a\r\nX: y', 'a\n', 'a\0', '\x7f', '€'])('reason %j is refused', (reason) => {
    expect(() => new Answer({ status: 200, reason, fields: [], body: nothing })).toThrow(RangeError);
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
    expect(() => new Answer({ status: 200, reason: '', fields: [[name, value]], body: nothing })).toThrow(RangeError);
  });

  test.each(['Content-Length', 'transfer-encoding', 'CONNECTION', 'Date'])('%s is nobody else’s to set', (name) => {
    expect(() => new Answer({ status: 200, reason: '', fields: [[name, '0']], body: nothing })).toThrow(
      `${name} is made by the server itself`,
    );
  });
});

describe('a refusal', () => {
  test.each(Object.keys(REFUSALS) as Cause[])('%s has a status, a reason and a sentence for a person', (cause) => {
    const { status, reason, text: sentence } = REFUSALS[cause];
    expect(status).toBeGreaterThanOrEqual(400);
    const content = `${status} ${reason}: ${sentence}\n`;
    expect(text(refusalAnswer(cause), Persistence.close)).toBe(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain\r\nContent-Length: ${content.length}\r\n` +
        `Date: ${date.text}\r\nConnection: close\r\n\r\n${content}`,
    );
  });

  test('is prepared once', () => {
    expect(refusalAnswer('hostMissing')).toBe(refusalAnswer('hostMissing'));
  });

  test('tells causes apart', () => {
    const sentences = Object.values(REFUSALS).map((refusal) => refusal.text);
    expect(new Set(sentences).size).toBe(sentences.length);
  });
});

test('the interim answer has no fields', () => {
  expect(CONTINUE.toString('latin1')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
});
