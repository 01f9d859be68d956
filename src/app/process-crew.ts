/** All workers of a server as processes that load the entry module again; this process only manages. Owns them. */
import { fileURLToPath } from 'node:url';
import { FIRST_DESCRIPTOR, startChild } from '../processes/child.ts';
import { Mended } from '../processes/mended.ts';
import { isPackaged, ownCommand } from '../processes/self.ts';
import type { SharedTls } from '../tls/server-tls.ts';
import type { ChannelNews } from '../websocket/channels.ts';
import { reportError } from '../workers/report.ts';
import { type Crew, END_MARGIN_MS, endMessage, entryUrl } from './crew.ts';
import type { Endpoint } from './listeners.ts';
import { type FromWorker, JOINING_VARIABLE, type JoiningProcess, type ToWorker } from './worker-place.ts';

export interface ProcessCrewOptions {
  /** Null: the main module. */
  readonly entry: string | URL | null;
  readonly count: number;
  readonly call: number;
  /** Those of the kind `descriptor` are passed on. */
  readonly endpoints: readonly Endpoint[];
  /** For a worker that starts now; null without TLS. */
  readonly tls: (() => SharedTls) | null;
}

export class ProcessCrew implements Crew {
  readonly #options: ProcessCrewOptions;
  readonly #command: ReturnType<typeof ownCommand>;
  /** What each child gets, and where it finds it. */
  readonly #descriptors: number[] = [];
  readonly #endpoints: readonly Endpoint[];
  /** Owned. */
  readonly #places: readonly Place[];

  /** Throws a TypeError if there is no entry module that a process could load. */
  constructor(options: ProcessCrewOptions) {
    this.#options = options;
    this.#command = commandOf(options.entry);
    this.#endpoints = options.endpoints.map((endpoint) => this.#inChild(endpoint));
    this.#places = Array.from({ length: options.count }, (_, index) => this.#place(index));
  }

  get pendingRequests(): number {
    return this.#places.reduce((sum, { requests }) => sum + requests, 0);
  }

  get pendingWebSockets(): number {
    return this.#places.reduce((sum, { webSockets }) => sum + webSockets, 0);
  }

  /** Resolves when all of them listen. */
  async start(): Promise<void> {
    try {
      await Promise.all(this.#places.map(({ mended }) => mended.start()));
    } catch (error) {
      await this.end(0);
      throw error;
    }
  }

  /** To the WebSockets of all workers. */
  publish(news: ChannelNews, from: number | null = null): void {
    const message: ToWorker = { type: 'news', news };
    for (const [index, { mended }] of this.#places.entries()) if (index !== from) mended.tell(message);
  }

  async replace(graceMs: number): Promise<void> {
    for (const { mended } of this.#places) await mended.replace(endMessage(graceMs), graceMs + END_MARGIN_MS);
  }

  async end(graceMs: number): Promise<void> {
    await Promise.all(this.#places.map(({ mended }) => mended.end(endMessage(graceMs), graceMs + END_MARGIN_MS)));
  }

  ref(): void {
    for (const { mended } of this.#places) mended.ref();
  }

  unref(): void {
    for (const { mended } of this.#places) mended.unref();
  }

  #inChild(endpoint: Endpoint): Endpoint {
    if (endpoint.kind !== 'descriptor') return endpoint;
    const descriptor = FIRST_DESCRIPTOR + this.#descriptors.length;
    this.#descriptors.push(endpoint.descriptor);
    return { kind: 'descriptor', descriptor };
  }

  #place(index: number): Place {
    const { call, count, tls } = this.#options;
    const joining: JoiningProcess = { call, count, index, endpoints: this.#endpoints, hasTls: tls !== null };
    const mended = new Mended({
      run: (events) => {
        const env = { ...process.env, [JOINING_VARIABLE]: JSON.stringify(joining) };
        const running = startChild({ command: this.#command, env, descriptors: this.#descriptors }, events);
        if (tls !== null) running.tell({ type: 'tls', tls: tls() } satisfies ToWorker);
        return running;
      },
      onMessage: (message) => {
        const news = message as FromWorker;
        if (news.type === 'news') this.publish(news.news, index);
        if (news.type !== 'counts') return;
        place.requests = news.requests;
        place.webSockets = news.webSockets;
      },
      neverListened: `worker ${index} ended before it called serve()`,
      onGone: () => {
        place.requests = 0;
        place.webSockets = 0;
      },
      report: (error) => reportError(index, error),
    });
    const place: Place = { mended, requests: 0, webSockets: 0 };
    return place;
  }
}

/** What is known of one worker. */
interface Place {
  readonly mended: Mended;
  requests: number;
  webSockets: number;
}

/** A packaged program is its own entry module. */
function commandOf(entry: string | URL | null): ReturnType<typeof ownCommand> {
  const args = process.argv.slice(2);
  if (isPackaged()) return ownCommand('', args);
  const url = entryUrl(entry);
  if (url.protocol !== 'file:') throw new TypeError(`entry must be a file if workers are processes, got ${url.href}`);
  return ownCommand(fileURLToPath(url), args);
}
