import { describe, expect, test } from 'vitest';
import type { SocketHandlers } from '../../src/websocket/handlers.ts';
import { resolveSettings } from '../../src/websocket/options.ts';

const resolve = (options: Partial<SocketHandlers>) => resolveSettings({ message() {}, ...options });

describe('the options of WebSockets', () => {
  test("have Bun's defaults", () => {
    expect(resolve({})).toMatchObject({
      maxPayloadLength: 16 * 1024 * 1024,
      backpressureLimit: 16 * 1024 * 1024,
      closeOnBackpressureLimit: false,
      idleTimeoutMs: 120_000,
      sendPings: true,
      publishToSelf: false,
      deflate: null,
    });
  });

  test('an idle timeout of 0 means no timeout', () =>
    expect(resolve({ idleTimeout: 0 }).idleTimeoutMs).toBe(Number.POSITIVE_INFINITY));

  test("include Bun's compressors", () => {
    const deflate = (options: Partial<SocketHandlers>) => resolve(options).deflate;
    expect(deflate({ perMessageDeflate: true })).toMatchObject({
      serverKeepsContext: false,
      clientKeepsContext: false,
    });
    expect(deflate({ perMessageDeflate: {} })).toMatchObject({ serverKeepsContext: false, threshold: 1024 });
    expect(deflate({ perMessageDeflate: { compress: '8KB', decompress: 'dedicated' } })).toMatchObject({
      serverKeepsContext: true,
      serverWindowBits: 10,
      memoryLevel: 3,
      clientKeepsContext: true,
      clientWindowBits: 15,
    });
    expect(deflate({ perMessageDeflate: { compress: false } })?.compresses).toBe(false);
    expect(deflate({ perMessageDeflate: { compress: 'disable' } })?.compresses).toBe(false);
    expect(deflate({ perMessageDeflate: true })?.compresses).toBe(true);
  });

  test.each<[Partial<SocketHandlers>, string]>([
    [{ idleTimeout: -1 }, 'websocket.idleTimeout must be a whole number from 0, got -1'],
    [{ maxPayloadLength: 1.5 }, 'websocket.maxPayloadLength must be a whole number from 0, got 1.5'],
    [{ backpressureLimit: Number.NaN }, 'websocket.backpressureLimit must be a whole number from 0, got NaN'],
    [
      { perMessageDeflate: { compress: '5KB' as '4KB' } },
      'websocket.perMessageDeflate.compress must be true, false or one of disable, shared, 3KB, 4KB, 8KB, 16KB, 32KB, 64KB, 128KB, 256KB, dedicated, got "5KB"',
    ],
    [{ message: undefined as never }, 'websocket.message must be a function, got null'],
    [{ idleTimeout: '60' as never }, 'websocket.idleTimeout must be a whole number from 0, got "60"'],
    [{ sendPings: 'no' as never }, 'websocket.sendPings must be true or false, got "no"'],
    [{ open: true as never }, 'websocket.open must be a function, got true'],
    [
      { maxPayload: 5 } as never,
      'websocket.maxPayload is not an option, got 5; there are open, message, drain, close, ping, pong, maxPayloadLength,',
    ],
    [{ onclose() {} } as never, 'websocket.onclose is not an option, got a function; did you mean websocket.close?'],
    [
      { perMessageDeflate: { treshold: 1 } as never },
      'websocket.perMessageDeflate.treshold is not an option, got 1; did you mean websocket.perMessageDeflate.threshold?',
    ],
  ])('refuse %j', (options, message) => expect(() => resolve(options)).toThrow(message));
});
