/** `test(app)`: the whole engine in memory, with a clock by hand. Nothing listens, and nothing takes longer than it computes. */
import { Buffer } from 'node:buffer';
import { request as ask, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { ManualClock } from '../engine/manual-clock.ts';
import { type MemoryConnection, MemoryTransport } from '../engine/memory-transport.ts';
import type { Content } from '../engine/stream-reply.ts';
import { Request as OurRequest, Response as OurResponse } from '../fetch/index.ts';
import { answersIn, requestsIn } from './answer-splitter.ts';
import type { App, Options, Server } from './app.ts';
import { checkedApp, checkOptions, optionsIn } from './check-app.ts';
import { streamOver } from './memory-socket.ts';
import { AppServer } from './server.ts';
import { resolveOptions, type ServeSettings } from './settings.ts';
import { firstPlace } from './worker-place.ts';

/** A client's end of a connection. */
export interface TestConnection {
  write(bytes: Content): void;
  /** Sends FIN and reads on. */
  end(): void;
  /** What has arrived since the last read; waits if that is nothing. Empty: the server has ended. */
  read(): Promise<Buffer>;
  /** Takes nothing that the server sends, until `resume`. */
  pause(): void;
  resume(): void;
  /** Goes away without a word. */
  reset(): void;
  /** The server has sent its FIN, or has closed. */
  readonly isClosed: boolean;
}

export interface TestServer<S = unknown> extends AsyncDisposable {
  readonly server: Server<S>;
  /** A relative URL means this server. The request goes over a connection of its own. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Sends all of it at once on one connection; resolves with each answer's bytes, interim ones included, in order. */
  send(...requests: Content[]): Promise<Buffer[]>;
  connect(): TestConnection;
  /** Moves the server's clock, by which all its limits on time, Date and heartbeats go. */
  advance(ms: number): void;
  /** Cuts everything off, and calls the app's `stop`. */
  close(): Promise<void>;
}

/** Resolves once the app has started. Options may be in the app too, as `serve()` takes them; where it would listen counts for nothing. */
export async function test<S>(given: App<S> & Options, options: Options = {}): Promise<TestServer<S>> {
  const app = checkedApp(given);
  checkOptions(options);
  const { hostname: _hostname, unix: _unix, listen: _listen, port, ...own } = optionsIn(app);
  const place = options.unix === undefined && options.listen === undefined ? { port: port ?? 80 } : {};
  const settings = resolveOptions({ ...place, ...own, ...options, workers: 1 });
  const transport = new MemoryTransport();
  let clock: ManualClock | null = null;
  const server = new AppServer<S>(app, settings, {
    place: firstPlace(1),
    startCrew: null,
    begin: async () => ({ transport, open: undefined, openHttp2: null, openHttp3: null, tls: null, close: () => {} }),
    makeClock: (keepAlive, onTick) => {
      clock = new ManualClock(keepAlive, onTick);
      return clock;
    },
  });
  await server.ready;
  return new InMemory(server, settings, transport, clock as unknown as ManualClock);
}

class InMemory<S> implements TestServer<S> {
  readonly server: Server<S>;
  readonly #settings: ServeSettings;
  readonly #transport: MemoryTransport;
  readonly #clock: ManualClock;

  constructor(server: Server<S>, settings: ServeSettings, transport: MemoryTransport, clock: ManualClock) {
    this.server = server;
    this.#settings = settings;
    this.#transport = transport;
    this.#clock = clock;
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const isText = typeof input === 'string' || input instanceof URL;
    const request = new OurRequest(isText ? new URL(input, 'http://localhost/') : input, init);
    const { host, pathname, search } = new URL(request.url);
    const headers = Object.fromEntries(request.headers as unknown as Iterable<[string, string]>);
    const connection = this.#transport.connect();
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = ask({
        method: request.method,
        path: pathname + search,
        headers: { host, connection: 'keep-alive', ...headers },
        createConnection: () => streamOver(connection),
      });
      asked.on('response', resolve);
      asked.on('error', reject);
      const { signal } = request;
      if (signal.aborted) asked.destroy(signal.reason as Error);
      else signal.addEventListener('abort', () => asked.destroy(signal.reason as Error), { once: true });
      if (init?.body instanceof ReadableStream) Readable.fromWeb(request.body as never).pipe(asked);
      else if (request.body === null) asked.end();
      else request.bytes().then((bytes) => asked.end(bytes), reject);
    });
    return responseOf(message, request.method);
  }

  async send(...requests: Content[]): Promise<Buffer[]> {
    const sent = Buffer.concat(requests.map((one) => Buffer.from(one as string)));
    const asked = requestsIn(sent, this.#settings.limits);
    const connection = this.#transport.connect();
    const received: Buffer[] = [];
    return new Promise((resolve) => {
      connection.onChange = () => {
        received.push(...connection.received.splice(0));
        const answers = answersIn(Buffer.concat(received), asked, connection.isEnded);
        const isComplete = asked.length > 0 && answers.length >= asked.length;
        if (!connection.isEnded && !isComplete) return;
        resolve(answers);
        leave(connection);
      };
      connection.write(sent);
    });
  }

  connect(): TestConnection {
    return new Connected(this.#transport.connect());
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
  }

  close(): Promise<void> {
    return this.server.stop(true);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class Connected implements TestConnection {
  readonly #connection: MemoryConnection;
  #wake: (() => void) | null = null;

  constructor(connection: MemoryConnection) {
    this.#connection = connection;
    connection.onChange = () => {
      const wake = this.#wake;
      this.#wake = null;
      wake?.();
    };
  }

  get isClosed(): boolean {
    return this.#connection.isEnded;
  }

  write(bytes: Content): void {
    this.#connection.write(Buffer.from(bytes as string));
  }

  end(): void {
    this.#connection.end();
  }

  async read(): Promise<Buffer> {
    const connection = this.#connection;
    while (connection.received.length === 0 && !connection.isEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return Buffer.concat(connection.received.splice(0));
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  reset(): void {
    this.#connection.break();
  }
}

/** The client has what it wanted: it ends once the server's own call is over. */
function leave(connection: MemoryConnection): void {
  connection.onChange = () => {};
  queueMicrotask(() => {
    connection.end();
    if (!connection.isDestroyed && connection.isEnded) connection.break();
  });
}

function responseOf(message: IncomingMessage, method: string): Response {
  const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = message;
  const headers: [string, string][] = [];
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.push([rawHeaders[at] as string, rawHeaders[at + 1] as string]);
  const isEmpty = method === 'HEAD' || status === 204 || status === 205 || status === 304;
  if (isEmpty) message.resume();
  const content = isEmpty ? null : Readable.toWeb(message);
  return new OurResponse(content, { status, statusText, headers }) as unknown as Response;
}
