import {
  appendFileSync,
  closeSync,
  fstatSync,
  openSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { FileSlices, OpenFile } from '../../src/files/open-file.ts';
import { Folder } from './folder.ts';

const folder = new Folder();
afterAll(() => folder.remove());

let path = '';
let fd = -1;
let file: OpenFile;
beforeEach(() => {
  path = folder.write('a', '0123456789'.repeat(100));
  utimesSync(path, 1000, 1000);
  fd = openSync(path, 'r');
  const { size, mtimeMs } = statSync(path);
  file = new OpenFile(fd, size, mtimeMs);
});

const isOpen = (): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

describe('content in pieces', () => {
  const pieces = [Buffer.from('<'), { start: 5, end: 14 }, Buffer.from('|||'), { start: 0, end: 0 }, Buffer.from('>')];
  const text = '<5678901234|||0>';

  test('is the same for every size of buffer and every position', () => {
    const slices = new FileSlices(file, pieces, text.length);
    for (let size = 1; size <= text.length + 3; size++) {
      const buffer = Buffer.alloc(size);
      for (let position = 0; position < text.length; position++) {
        const count = slices.readInto(buffer, position);
        expect(buffer.toString('latin1', 0, count)).toBe(text.slice(position, position + size));
      }
    }
    expect(slices.readInto(Buffer.alloc(4), text.length)).toBe(0);
    slices.close();
    file.release();
  });
});

describe('a file that changes while it is sent', () => {
  function halfway(change: () => void): number {
    const slices = new FileSlices(file, [{ start: 0, end: 999 }], 1000);
    const buffer = Buffer.alloc(500);
    expect(slices.readInto(buffer, 0)).toBe(500);
    change();
    const count = slices.readInto(buffer, 500);
    slices.close();
    file.release();
    return count;
  }

  test('unchanged', () => {
    expect(halfway(() => undefined)).toBe(500);
  });

  test('grown, as logs do: its beginning is sent', () => {
    expect(halfway(() => appendFileSync(path, 'more'))).toBe(500);
  });

  test('shrunk: cut', () => {
    expect(halfway(() => truncateSync(path, 700))).toBe(-1);
  });

  test('shrunk outside the piece that is read: cut', () => {
    const slices = new FileSlices(file, [{ start: 0, end: 9 }], 10);
    truncateSync(path, 700);
    expect(slices.readInto(Buffer.alloc(10), 0)).toBe(-1);
    slices.close();
    file.release();
  });

  test('rewritten with the same size: cut', () => {
    expect(halfway(() => writeFileSync(path, 'x'.repeat(1000)))).toBe(-1);
  });

  test('replaced by another: the old one is sent to its end', () => {
    expect(halfway(() => folder.write('b', 'x'))).toBe(500);
  });

  test('unreadable: cut', () => {
    const slices = new FileSlices(file, [{ start: 0, end: 999 }], 1000);
    closeSync(fd);
    expect(slices.readInto(Buffer.alloc(10), 0)).toBe(-1);
  });
});

describe('the descriptor', () => {
  test('is open until its last user is done', () => {
    const one = new FileSlices(file, [{ start: 0, end: 9 }], 10);
    const other = new FileSlices(file, [{ start: 0, end: 9 }], 10);
    file.release();
    one.close();
    one.close();
    expect(isOpen()).toBe(true);
    expect(other.readInto(Buffer.alloc(10), 0)).toBe(10);
    other.close();
    expect(isOpen()).toBe(false);
    expect(other.readInto(Buffer.alloc(10), 0)).toBe(-1);
  });

  test('is not used again after that', () => {
    file.release();
    expect(() => file.retain()).toThrow('a file must not be used after it was closed');
  });
});
