import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { openTransport } from '../../src/engine/transport.ts';
import { keyPem, makeKey, selfSign } from '../../src/tls/write-certificate.ts';
import { makeSharedState, makeTickets } from '../../src/web/shared-state.ts';
import { serveWeb } from '../../src/workers/serve-web.ts';
import { makeFolder, readToml } from './start-web.ts';

test('of all workers, one says that a certificate is about to expire', async () => {
  const key = makeKey();
  const now = Date.now();
  const cert = selfSign({ names: ['a.example'], key, from: new Date(now - 1000), to: new Date(now + 86_400_000) });
  const folder = makeFolder({ 'cert.pem': cert, 'key.pem': keyPem(key) });
  const config = readToml(
    'server = { enable_http = false, https_port = 0 }\nssl = { cert = "cert.pem", key = "key.pem" }\nlogging = { error_log = { path = "errors.log" } }\nsites = [{ respond = "" }]',
    folder,
  );
  const shared = makeSharedState(2, config, await makeTickets(config));
  for (const worker of [0, 1]) {
    const endpoint = { kind: 'tcp', address: '127.0.0.1', port: 0 } as const;
    const options = { app: { kind: 'web', config, shared }, endpoint, limits: config.server.limits } as const;
    const transport = await openTransport('handle');
    const { engine } = await serveWeb(transport, { ...options, transport: 'handle' }, createCounters(2), worker);
    await engine.drain(1000);
    engine.close();
  }
  const lines = readFileSync(path.join(folder, 'errors.log'), 'utf8').split('\n');
  expect(lines.filter((line) => line.includes('a.example expires on'))).toHaveLength(1);
});
