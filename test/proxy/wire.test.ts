/**
 * Every wire case through the proxy: what a server refuses, the proxy must refuse, and what it answers, the upstream must have been
 * asked, once for each request and no more. The upstream is read with the strict parser, so nothing can be smuggled to it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '../../src/engine/call.ts';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import { openNetTransport } from '../../src/engine/net-transport.ts';
import type { Transport } from '../../src/engine/transport.ts';
import { vrypt } from '../app.ts';
import { LIMITS } from '../engine/limits.ts';
import { casesByOptions, loadCases, type WireCase } from '../wire/load-cases.ts';
import { checkCase } from '../wire/run-client.ts';
import { type StartedProxy, startProxy } from './start-proxy.ts';

const groups = casesByOptions(loadCases());

function openTransport(name: 'handle' | 'net'): Transport {
  const transport = name === 'net' ? openNetTransport() : openHandleTransport();
  if (transport === null) throw new Error('this Node has no stream handles');
  return transport;
}

function originForm({ path, query, target }: Call): string {
  return query === '' && !target.endsWith('?') ? path : `${path}?${query}`;
}

for (const name of ['handle', 'net'] as const) {
  for (const [options, cases] of groups) {
    const title = options === '' ? '' : ` with ${options}`;
    // One after the other: what the upstream sees must belong to one client.
    describe(`a proxy on the ${name} transport${title}`, () => {
      const stops: (() => void)[] = [];
      /** What the proxy has taken for requests, and what the upstream has read as complete ones. */
      const taken: string[] = [];
      const asked: string[] = [];
      let started: StartedProxy;

      beforeAll(async () => {
        const { limits } = cases[0] as WireCase;
        const report = (error: unknown) => {
          throw error;
        };
        const origin = new Engine({
          handler: async (call) => {
            await call.body.bytes();
            asked.push(`${call.method} ${call.target}`);
            return vrypt(call);
          },
          // Larger than any of the proxy's: whatever is refused, the proxy has refused.
          limits: { ...LIMITS, maxRequestLine: 2 ** 20, maxHeaderSize: 2 ** 20, maxHeaderCount: 10_000 },
          transport: openTransport(name),
          counters: createCounters(1),
          worker: 0,
          report,
        });
        const { port } = await origin.listen({ address: '127.0.0.1', port: 0, backlog: 128, reusePort: false });
        stops.push(() => origin.close());
        const transport = () => openTransport(name);
        const onCall = (call: Call) => taken.push(`${call.method} ${originForm(call)}`);
        started = await startProxy(port, { limits, transport, onCall, whenFinished: (stop) => stops.push(stop) });
      });
      afterAll(() => {
        // Nor does anything follow later.
        expect(asked).toEqual([]);
        for (const stop of stops) stop();
        expect(started.failures).toEqual([]);
        expect(started.errors).toEqual([]);
      });

      for (const one of cases) {
        test(`${one.document}: ${one.name}`, () =>
          checkCase(started.port, one, (way, { lines, end }) => {
            const answered = lines.filter((line) => line.startsWith('200')).length + (end === 'open' ? 1 : 0);
            // What was refused in the middle of its content has been taken, and is the last.
            const wanted = taken.splice(0).slice(0, answered);
            expect({ way, count: wanted.length, asked: asked.splice(0) }).toEqual({
              way,
              count: answered,
              asked: wanted,
            });
          }));
      }
    });
  }
}
