import { expect, test } from 'vitest';
import { reply } from '../../src/http/made-reply.ts';

test.each([
  [5, 'the content of an answer must be a string or a Uint8Array, got 5'],
  [{ a: 1 }, 'the content of an answer must be a string or a Uint8Array, got an object'],
  [null, 'the content of an answer must be a string or a Uint8Array, got null'],
  [[1], 'the content of an answer must be a string or a Uint8Array, got a list'],
])('content that a program without types may give is refused where it is given: %j', (content, message) => {
  expect(() => reply(200, {}, content as never)).toThrow(new TypeError(message));
});

test.each([
  ['text', 'fields must be an object or pairs of name and value, got "text"'],
  [null, 'fields must be an object or pairs of name and value, got null'],
  [{ 'X-N': 5 }, 'the value of X-N must be a string or a list of them, got 5'],
  [{ 'X-N': {} }, 'the value of X-N must be a string or a list of them, got an object'],
])('so are fields: %j', (fields, message) => {
  expect(() => reply(200, fields as never, '')).toThrow(new TypeError(message));
});
