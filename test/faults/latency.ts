/** A well-behaved client that sends one request after another, to measure latency. */
import { RawClient } from '../engine/raw-client.ts';
import { quantile } from './proof.ts';

export const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Sends requests until `ms` have passed, on one connection or on a new one each time. */
export async function measureLatency(port: number, ms: number, isReconnecting = false): Promise<Latency> {
  const times: number[] = [];
  const end = performance.now() + ms;
  let client = await RawClient.connect(port);
  while (performance.now() < end) {
    const start = performance.now();
    if (isReconnecting) {
      client.close();
      client = await RawClient.connect(port);
    }
    const { status } = await client.send(GET).response();
    if (status !== 200) throw new Error(`a well-behaved client must get 200, got ${status}`);
    times.push(performance.now() - start);
    // So that the client itself is not the load.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  client.close();
  const max = quantile(times, 1);
  return { count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99), max };
}

/** True as soon as one request is answered with 200, within `ms`. */
export async function isServed(port: number, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    try {
      const client = await RawClient.connect(port);
      try {
        const { status } = await client.send(GET).response();
        if (status === 200) return true;
      } finally {
        client.close();
      }
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}
