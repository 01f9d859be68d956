/** One engine on a free port for one test, which ends it and the clients that were made through it. */
import { onTestFinished } from 'vitest';
import type { Handler } from '../../src/engine/call.ts';
import { createCounters, type SharedCounters } from '../../src/engine/counters.ts';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import { openNetTransport } from '../../src/engine/net-transport.ts';
import type { Listener, Transport } from '../../src/engine/transport.ts';
import { vrypt } from '../app.ts';
import { LIMITS } from './limits.ts';
import { type ClientOptions, RawClient } from './raw-client.ts';

/** Every transport that the engine knows, by name. */
export const TRANSPORTS = [
  { transport: 'handle', open: openFast },
  { transport: 'net', open: openNetTransport },
] as const;

export type OpenTransport = () => Transport;

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

export interface StartOptions {
  readonly handler?: Handler;
  readonly limits?: Partial<EngineLimits>;
  readonly done?: EngineOptions['done'];
  readonly openHttp2?: EngineOptions['openHttp2'];
  readonly onTestFinished?: (stop: () => void) => void;
}

export interface Started {
  readonly engine: Engine;
  readonly listener: Listener;
  readonly port: number;
  readonly counters: SharedCounters;
  /** What the engine reported. */
  readonly errors: unknown[];
  connect(options?: ClientOptions): Promise<RawClient>;
}

export async function startEngine(open: OpenTransport, options: StartOptions = {}): Promise<Started> {
  const { handler = vrypt, limits = {} } = options;
  const whenFinished = options.onTestFinished ?? onTestFinished;
  const errors: unknown[] = [];
  const counters = createCounters(1);
  const engine = new Engine({
    handler,
    limits: { ...LIMITS, ...limits },
    transport: open(),
    counters,
    worker: 0,
    report: (error) => errors.push(error),
    ...(options.done === undefined ? {} : { done: options.done }),
    openHttp2: options.openHttp2 ?? null,
  });
  const listener = await engine.listen({ address: '127.0.0.1', port: 0, backlog: 512, reusePort: false });
  whenFinished(() => engine.close());
  const { port } = listener;
  const connect = async (clientOptions?: ClientOptions) => {
    const client = await RawClient.connect(port, clientOptions);
    whenFinished(() => client.close());
    return client;
  };
  return { engine, listener, port, counters, errors, connect };
}

/** Resolves when the engine has exactly that many connections; otherwise the test runner's time limit ends it. */
export async function connectionsBecome(engine: Engine, count: number): Promise<void> {
  while (engine.connectionCount !== count) await new Promise((resolve) => setImmediate(resolve));
}

function openFast(): Transport {
  const transport = openHandleTransport();
  if (transport === null) throw new Error('this Node lacks what the fast transport needs');
  return transport;
}
