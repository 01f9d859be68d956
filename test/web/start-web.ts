/** A web server in this process, one worker, from the text of a configuration. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { createCounters } from '../../src/engine/counters.ts';
import { openTransport } from '../../src/engine/transport.ts';
import { readConfigText } from '../../src/web/config/read-config.ts';
import type { WebConfig } from '../../src/web/config/web-config.ts';
import { makeSharedState, makeTickets, type SharedState } from '../../src/web/shared-state.ts';
import { WebCertificates } from '../../src/web/web-certificates.ts';
import { serveWeb, type WebWorker } from '../../src/workers/serve-web.ts';
import type { WebSource } from '../../src/workers/worker-app.ts';

export interface StartedWeb {
  readonly folder: string;
  readonly worker: WebWorker;
  readonly shared: SharedState;
  /** In the order of the listeners. */
  readonly ports: readonly number[];
  get(target: string, options?: Asked): Promise<Answer>;
  /** Takes another configuration, as a reload does. */
  take(toml: string): Promise<WebSource>;
}

export interface Asked {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly port?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
}

/** A folder with these files, removed when the test has finished. */
export function makeFolder(files: Readonly<Record<string, string | Buffer>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'vrypt-web-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function readToml(toml: string, folder: string): WebConfig {
  const read = readConfigText(toml, 'vrypt.toml', { directory: folder, environment: {} });
  if (read.kind === 'bad') throw new Error(read.messages.join('\n'));
  return read.config;
}

/** Without other listeners in `toml` there is one, on a free port. */
export async function startWeb(
  toml: string,
  files: Readonly<Record<string, string | Buffer>> = {},
): Promise<StartedWeb> {
  const folder = makeFolder(files);
  const withPort = (text: string) => (/http_port|\[\[listeners/.test(text) ? text : `server.http_port = 0\n${text}`);
  const config = readToml(withPort(toml), folder);
  const shared = makeSharedState(1, config, await makeTickets(config));
  const certificates = new WebCertificates(() => {});
  certificates.prepare(config);
  onTestFinished(() => certificates.close());
  const endpoint = { kind: 'tcp', address: '127.0.0.1', port: 0 } as const;
  const { engine, app } = await serveWeb(
    await openTransport('handle'),
    { app: { kind: 'web', config, shared }, endpoint, limits: config.server.limits, transport: 'handle' },
    createCounters(1),
    0,
  );
  onTestFinished(() => engine.close());
  const ports = app.config.listeners.map(({ port }) => port);
  return {
    folder,
    worker: engine,
    shared,
    ports,
    get: (target, asked = {}) => ask(target, { port: ports[0] as number, ...asked }),
    take: async (text) => {
      const next = readToml(withPort(text), folder);
      return engine.take({
        kind: 'web',
        config: next,
        shared: makeSharedState(1, next, await makeTickets(next, shared.tickets), shared),
      });
    },
  };
}

export function ask(target: string, { method = 'GET', host, headers = {}, body, port }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path: target,
        headers: host === undefined ? headers : { Host: host, ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() });
        });
        response.on('error', reject);
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
