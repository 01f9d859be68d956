import { expect, test } from 'vitest';
import { textsInside } from '../../scripts/formats/texts-inside.ts';

function readBack(texts: Readonly<Record<string, string>>): unknown {
  return new Function(`${textsInside(texts)}return { ...bundled, read: undefined };`)();
}

test('texts come out as they went in', () => {
  const texts = { one: 'var a = /b*/.test("*/ // /*");\n"\\x01"', two: '', three: '/**/'.repeat(3) };
  expect(readBack(texts)).toEqual({ ...texts, read: undefined });
});

test('a text with the character that stands for the end of a comment is refused', () => {
  expect(() => textsInside({ one: '*\x01/' })).toThrow('the text one must not contain U+0001');
});
