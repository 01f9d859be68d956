/** A proxy on an engine of its own, on a free port, for one test. */
import { onTestFinished } from 'vitest';
import { TrustedProxies } from '../../src/content/forwarded.ts';
import type { Call } from '../../src/engine/call.ts';
import { createCounters } from '../../src/engine/counters.ts';
import { Engine } from '../../src/engine/engine.ts';
import { openHandleTransport } from '../../src/engine/handle-transport.ts';
import type { EngineLimits } from '../../src/engine/limits.ts';
import type { Transport } from '../../src/engine/transport.ts';
import type { ProxyFailure } from '../../src/proxy/failures.ts';
import { openProxy, type ProxyOptions, type ReverseProxy } from '../../src/proxy/reverse-proxy.ts';
import type { ProxySettings, UpstreamSettings } from '../../src/proxy/settings.ts';
import { LIMITS } from '../engine/limits.ts';
import { type ClientOptions, RawClient } from '../engine/raw-client.ts';

const SETTINGS = {
  strategy: 'round_robin',
  sticky: null,
  health: null,
  passive: { maxFails: 5, windowMs: 10_000, backOffMs: 2000, maxBackOffMs: 60_000 },
  timeouts: { connectMs: 5000, firstByteMs: 60_000, idleMs: 120_000, keepAliveMs: 60_000 },
  retries: 1,
  maxIdle: 64,
  maxActive: Number.POSITIVE_INFINITY,
  host: { from: 'client' },
  tls: { verifies: true, caFile: null, serverName: null },
  forwarded: 'x',
  fastCgi: null,
} as const satisfies Omit<ProxySettings, 'name' | 'upstreams'>;

export interface ProxyStart {
  readonly settings?: Partial<ProxySettings>;
  readonly limits?: Partial<EngineLimits>;
  readonly trusts?: readonly string[];
  readonly lookUp?: ProxyOptions['lookUp'];
  readonly transport?: () => Transport | null;
  /** Told of each request that the proxy takes. */
  readonly onCall?: (call: Call) => void;
  /** Of the clients' connections, as whoever has accepted them says. */
  readonly scheme?: 'http' | 'https';
  readonly whenFinished?: (stop: () => void) => void;
}

export interface StartedProxy {
  readonly port: number;
  readonly engine: Engine;
  readonly proxy: ReverseProxy;
  readonly failures: ProxyFailure[];
  readonly errors: unknown[];
  connect(options?: ClientOptions): Promise<RawClient>;
}

/** An upstream on this machine, by its port, or by the path of its Unix socket. */
export function upstream(where: number | string, more: Partial<UpstreamSettings> = {}): UpstreamSettings {
  const isPath = typeof where === 'string';
  return {
    url: isPath ? `unix:${where}` : `http://127.0.0.1:${where}`,
    protocol: 'http',
    host: isPath ? '' : '127.0.0.1',
    port: isPath ? 0 : where,
    unixPath: isPath ? where : null,
    basePath: '',
    weight: 1,
    isBackup: false,
    ...more,
  };
}

export async function startProxy(
  upstreams: number | string | readonly UpstreamSettings[],
  start: ProxyStart = {},
): Promise<StartedProxy> {
  const transport = (start.transport ?? openHandleTransport)();
  if (transport === null) throw new Error('this Node lacks what the fast transport needs');
  const whenFinished = start.whenFinished ?? onTestFinished;
  const failures: ProxyFailure[] = [];
  const errors: unknown[] = [];
  const list = typeof upstreams === 'object' ? upstreams : [upstream(upstreams)];
  const proxy = await openProxy({
    settings: { ...SETTINGS, name: 'test', upstreams: list, ...start.settings },
    transport,
    trusted: start.trusts === undefined ? null : new TrustedProxies(start.trusts),
    onFailure: (failure) => failures.push(failure),
    ...(start.lookUp === undefined ? {} : { lookUp: start.lookUp }),
  });
  const engine = new Engine({
    handler: (call) => {
      start.onCall?.(call);
      return proxy.handle(call, start.scheme);
    },
    limits: { ...LIMITS, ...start.limits },
    transport,
    counters: createCounters(1),
    worker: 0,
    report: (error) => errors.push(error),
  });
  const { port } = await engine.listen({ address: '127.0.0.1', port: 0, backlog: 512, reusePort: false });
  whenFinished(() => {
    engine.close();
    proxy.close();
  });
  const connect = async (options?: ClientOptions) => {
    const client = await RawClient.connect(port, options);
    whenFinished(() => client.close());
    return client;
  };
  return { port, engine, proxy, failures, errors, connect };
}
