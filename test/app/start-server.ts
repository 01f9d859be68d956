/** A server of the library on a free port, for one test; ended with it. */
import { onTestFinished } from 'vitest';
import { type App, type Options, type Server, serve } from '../../src/index.ts';
import { type ClientOptions, RawClient } from '../engine/raw-client.ts';

export interface StartedServer<S> {
  readonly server: Server<S>;
  readonly port: number;
  /** With a slash at its end. */
  readonly url: string;
  connect(options?: ClientOptions): Promise<RawClient>;
}

export async function startServer<S>(app: App<S> & Options): Promise<StartedServer<S>> {
  const server = await serve({ port: 0, hostname: '127.0.0.1', ...app }).ready;
  onTestFinished(() => server.stop(true));
  const { port, url } = server;
  const connect = async (options?: ClientOptions) => {
    const client = await RawClient.connect(port, options);
    onTestFinished(() => client.close());
    return client;
  };
  return { server, port, url: url.href, connect };
}

export function get(target: string, fields = ''): string {
  return request('GET', target, fields);
}

export function request(method: string, target: string, fields = '', content = ''): string {
  return `${method} ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n${content}`;
}
