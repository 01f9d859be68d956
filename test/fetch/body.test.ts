import { describe, expect, test } from 'vitest';
import { BOTH, OURS } from './both.ts';

const TEXT = 'Grüße, 世界';
const BYTES = new TextEncoder().encode(TEXT);

function streamOf(...chunks: unknown[]): ReadableStream {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function read(stream: ReadableStream | null, mode?: 'byob'): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (mode === 'byob') {
    const reader = (stream as ReadableStream).getReader({ mode });
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(4));
      if (value !== undefined) text += decoder.decode(value, { stream: true });
      if (done) return text;
    }
  }
  for await (const chunk of stream as ReadableStream) text += decoder.decode(chunk, { stream: true });
  return text;
}

const CONTENTS: readonly (readonly [name: string, make: () => unknown])[] = [
  ['text', () => TEXT],
  ['bytes', () => BYTES],
  ['a part of a buffer', () => new Uint8Array([...new Uint8Array(3), ...BYTES, 1]).subarray(3, 3 + BYTES.length)],
  ['a buffer', () => BYTES.slice().buffer],
  ['a view', () => new DataView(BYTES.slice().buffer)],
  ['a Blob', () => new Blob([TEXT])],
  ['a stream', () => streamOf(BYTES.subarray(0, 4), BYTES.subarray(4))],
];

describe.each(BOTH)('a body, $whose', ({ classes: { Request, Response } }) => {
  const kinds = [
    ['Response', (body: unknown, headers = {}) => new Response(body as never, { headers })],
    [
      'Request',
      (body: unknown, headers = {}) =>
        new Request('http://a/', { method: 'POST', body: body as never, headers, duplex: 'half' } as RequestInit),
    ],
  ] as const;

  describe.each(kinds)('of a %s', (_, make) => {
    test.each(CONTENTS)('of %s is the same in every form', async (_name, content) => {
      expect(await make(content()).text()).toBe(TEXT);
      expect(new Uint8Array(await make(content()).arrayBuffer())).toEqual(BYTES);
      const bytes = await make(content()).bytes();
      expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
      expect(bytes).toEqual(BYTES);
      const blob = await make(content(), { 'content-type': 'A/B' }).blob();
      expect([await blob.text(), blob.type]).toEqual([TEXT, 'a/b']);
      expect(await read(make(content()).body)).toBe(TEXT);
      await expect(make(content()).json()).rejects.toThrow(SyntaxError);
    });

    test.each(CONTENTS.slice(0, -1))('of %s can be read into the caller’s buffer', async (_name, content) => {
      expect(await read(make(content()).body, 'byob')).toBe(TEXT);
    });

    test.each(CONTENTS)('of %s is read once', async (_name, content) => {
      const holder = make(content());
      expect(holder.bodyUsed).toBe(false);
      const text = holder.text();
      expect(holder.bodyUsed).toBe(true);
      await text;
      for (const form of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData'] as const) {
        await expect(holder[form]()).rejects.toThrow(TypeError);
      }
      expect(() => holder.clone()).toThrow(TypeError);
      expect(holder.body?.locked).toBe(true);
      expect(holder.bodyUsed).toBe(true);
      expect(() => new Response(holder.body)).toThrow(TypeError);
    });

    test.each(CONTENTS)('of %s cannot be read while its stream is being read', async (_name, content) => {
      const holder = make(content());
      const { body } = holder;
      expect(holder.body).toBe(body);
      expect(holder.bodyUsed).toBe(false);
      const reader = body?.getReader();
      expect(holder.bodyUsed).toBe(false);
      await expect(holder.text()).rejects.toThrow(TypeError);
      expect(() => holder.clone()).toThrow(TypeError);
      await reader?.read();
      expect(holder.bodyUsed).toBe(true);
      reader?.releaseLock();
      await expect(holder.text()).rejects.toThrow(TypeError);
      expect(() => holder.clone()).toThrow(TypeError);
    });

    test.each(CONTENTS)('of %s can be read after its stream has been accessed', async (_name, content) => {
      const holder = make(content());
      const { body } = holder;
      expect(await holder.text()).toBe(TEXT);
      expect(holder.body).toBe(body);
      expect([body?.locked, holder.bodyUsed]).toEqual([true, true]);
    });

    test.each(CONTENTS)('of %s is used when its stream is cancelled', async (_name, content) => {
      const holder = make(content());
      await holder.body?.cancel();
      expect(holder.bodyUsed).toBe(true);
      await expect(holder.text()).rejects.toThrow(TypeError);
    });

    test.each(CONTENTS)('of %s can be cloned, and cloned again', async (_name, content) => {
      const holder = make(content());
      const clone = holder.clone();
      const third = clone.clone();
      expect(clone.body).not.toBe(holder.body);
      third.body?.cancel().catch(() => {});
      expect([holder.bodyUsed, clone.bodyUsed]).toEqual([false, false]);
      expect(await clone.text()).toBe(TEXT);
      expect(holder.bodyUsed).toBe(false);
      expect(await read(holder.body)).toBe(TEXT);
    });

    test('of an empty text is not null', async () => {
      const holder = make('');
      expect(await read(holder.body)).toBe('');
      expect(holder.bodyUsed).toBe(true);
      await expect(make('').json()).rejects.toThrow(SyntaxError);
      expect(await make(new Uint8Array(0)).text()).toBe('');
    });

    test('of JSON is parsed', async () => {
      expect(await make('{"a":[1]}').json()).toEqual({ a: [1] });
      expect(await make(streamOf(new TextEncoder().encode('\ufeff5'))).json()).toBe(5);
    });

    test('loses a byte order mark and invalid UTF-8', async () => {
      expect(await make('\ufeffa').text()).toBe('a');
      expect(await make(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).text()).toBe('a');
      expect(await make(new Uint8Array([0x61, 0xff, 0xe2, 0x82, 0x62])).text()).toBe('a\ufffd\ufffdb');
      expect(await make('\ud800x').text()).toBe('\ufffdx');
      expect(await make('\ud800').bytes()).toEqual(new Uint8Array([0xef, 0xbf, 0xbd]));
    });

    test('of a stream is that stream', () => {
      const stream = streamOf();
      expect(make(stream).body).toBe(stream);
      expect(() => make(stream.getReader() && stream)).toThrow(TypeError);
    });

    test.each(['a', null, undefined, 5, {}, new ArrayBuffer(1), [1]])(
      'of a stream with the chunk %j fails',
      async (chunk) => {
        await expect(make(streamOf(chunk)).text()).rejects.toThrow(TypeError);
        await expect(make(streamOf(chunk)).bytes()).rejects.toThrow(TypeError);
      },
    );

    test('of a stream that fails rejects with its error', async () => {
      const error = new Error('no more');
      const stream = () => new ReadableStream({ pull: (controller) => controller.error(error) });
      for (const form of ['text', 'json', 'bytes', 'arrayBuffer', 'blob'] as const) {
        await expect(make(stream())[form]()).rejects.toBe(error);
      }
    });

    test('of a form is read back', async () => {
      const form = new FormData();
      form.append('a', '1');
      form.append('a', '2');
      form.append('f', new Blob(['x'], { type: 'text/x' }), 'name');
      const copy = await make(form).formData();
      expect(copy.getAll('a')).toEqual(['1', '2']);
      const file = copy.get('f') as File;
      expect([file.name, file.type, await file.text()]).toEqual(['name', 'text/x', 'x']);
      expect([...(await make(new URLSearchParams('a=1&b=%20')).formData())]).toEqual([
        ['a', '1'],
        ['b', ' '],
      ]); // prettier-ignore
      await expect(make('x').formData()).rejects.toThrow(TypeError);
      await expect(make('x', { 'content-type': 'multipart/form-data; boundary=b' }).formData()).rejects.toThrow(
        TypeError,
      );
    });

    test.each([
      ['text/plain;charset=UTF-8', 'text/plain;charset=utf-8'],
      ['Text/HTML', 'text/html'],
      ['a/b; c="d"', 'a/b;c=d'],
      ['', ''],
      ['nonsense', ''],
    ])('with the type %j has that of its Blob', async (type, expected) => {
      expect((await make('x', { 'content-type': type }).blob()).type.toLowerCase()).toBe(expected);
    });

    test('takes the type of its Blob from the current headers', async () => {
      const holder = make(new Blob(['x'], { type: 'a/b' }));
      holder.headers.set('content-type', 'c/d');
      expect((await holder.blob()).type).toBe('c/d');
      const other = make('x');
      other.headers.delete('content-type');
      expect((await other.blob()).type).toBe('');
    });

    test('rejects for other receivers', async () => {
      const prototype = Object.getPrototypeOf(make(null)) as Record<string, () => Promise<unknown>>;
      for (const form of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData']) {
        const promise = prototype[form]?.call({});
        expect(promise).toBeInstanceOf(Promise);
        await expect(promise).rejects.toThrow(TypeError);
      }
    });
  });

  test('that is null is empty and never used', async () => {
    for (const holder of [new Response(), new Request('http://a/')]) {
      expect(holder.body).toBe(null);
      expect(await holder.text()).toBe('');
      expect((await holder.arrayBuffer()).byteLength).toBe(0);
      expect((await holder.blob()).size).toBe(0);
      expect(await holder.bytes()).toEqual(new Uint8Array(0));
      await expect(holder.json()).rejects.toThrow(SyntaxError);
      await expect(holder.formData()).rejects.toThrow(TypeError);
      expect(holder.bodyUsed).toBe(false);
      expect(holder.clone().body).toBe(null);
    }
  });

  test('is disturbed by a pipe at once', () => {
    const response = new Response(new ReadableStream());
    response.body?.pipeTo(new WritableStream({}, { highWaterMark: 0 })).catch(() => {});
    expect(response.bodyUsed).toBe(true);
  });
});

describe('the buffer of a body', () => {
  test('is the reader’s own', async () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const response = new OURS.Response(bytes);
    const clone = response.clone();
    (await response.bytes())[0] = 9;
    expect(await clone.bytes()).toEqual(new Uint8Array([1, 2, 3]));
    const text = new OURS.Response('x');
    expect((await text.arrayBuffer()).byteLength).toBe(1);
    expect(bytes.buffer.detached).toBe(false);
  });

  test('of a cloned stream differs from the original’s', async () => {
    const chunk = new Uint16Array([1, 2]);
    const response = new OURS.Response(streamOf(chunk));
    const clone = response.clone();
    expect((await response.body?.getReader().read())?.value).toBe(chunk);
    const copy = (await clone.body?.getReader().read())?.value;
    expect(copy).toEqual(chunk);
    expect(copy).not.toBe(chunk);
  });
});
