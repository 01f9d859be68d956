import { expect, test } from 'vitest';
import { eventText } from '../../src/events/event-text.ts';

test.each([
  ['hello', {}, 'data: hello\n\n'],
  ['', {}, 'data: \n\n'],
  ['a\nb\r\nc\rd', {}, 'data: a\ndata: b\ndata: c\ndata: d\n\n'],
  ['a\n', {}, 'data: a\ndata: \n\n'],
  ['x', { event: 'tick', id: '7', retry: 500 }, 'event: tick\nid: 7\nretry: 500\ndata: x\n\n'],
  ['x', { id: '' }, 'id: \ndata: x\n\n'],
])('%j with %j', (data, options, text) => {
  expect(eventText(data, options)).toBe(text);
});

test.each([
  [{ event: 'a\nb' }, 'the event of an event must be one line'],
  [{ id: 'a\rb' }, 'the id of an event must be one line'],
  [{ id: 'a\0b' }, 'NUL'],
  [{ retry: 1.5 }, 'retry must be a whole number'],
])('refuses %j', (options, message) => {
  expect(() => eventText('x', options)).toThrow(message);
});
