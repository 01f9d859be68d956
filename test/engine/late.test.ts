import { describe, expect, test } from 'vitest';
import type { Handler } from '../../src/engine/call.ts';
import { vrypt } from '../app.ts';
import { GET, startEngine, TRANSPORTS } from './start-engine.ts';

describe.each(TRANSPORTS)('on the $transport transport', ({ open }) => {
  test('reads what has arrived before it checks deadlines, so that its own delay costs no client an answer', async () => {
    const late: { send?: () => void } = {};
    // Blocks the event loop while the other connection's request is already in the kernel.
    const handler: Handler = (request) => {
      if (request.target === '/slow') {
        late.send?.();
        const start = performance.now();
        while (performance.now() - start < 550);
      }
      return vrypt(request);
    };
    const { connect } = await startEngine(open, { handler, limits: { idleTimeoutMs: 300 } });
    const idle = await connect();
    const busy = await connect();
    await idle.send(GET).response();
    late.send = () => idle.send(GET);
    busy.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
    expect((await idle.response()).status).toBe(200);
  });
});
