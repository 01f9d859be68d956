/** What an app is, what `serve()` takes, and what programs get: the library's types. */
import type { Duplex } from 'node:stream';
import type { TrustProxy } from '../content/forwarded.ts';
import type { Address } from '../engine/address.ts';
import type { AnswerEnd, Call as EngineCall } from '../engine/call.ts';
import type { Datagrams } from '../engine/datagrams.ts';
import type { Protocol } from '../engine/protocol.ts';
import type { Content } from '../engine/stream-reply.ts';
import type { Fields } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
import type { Tls } from '../tls/options.ts';
import type { SocketHandlers } from '../websocket/handlers.ts';

export type Awaitable<T> = T | Promise<T>;

/** A request on the fast level, with what a connection can become. */
export interface Call<S = unknown> extends EngineCall<S> {
  /**
   * The answer 101: from now on the connection speaks WebSocket. A request that is no valid handshake gets 400 or 426 instead.
   * `protocol` is sent if the client offered it; `fields` are added to the 101.
   */
  accept<D>(handlers: SocketHandlers<D>, data: D, options?: AcceptOptions): Reply;
  /**
   * The answer 101 with these fields, `Upgrade` among them; then `use` gets the connection, and the bytes that came behind the
   * request. Throws a TypeError in HTTP/2. Without any fields nothing is sent: `use` answers itself, as `handleUpgrade` of `ws` does.
   */
  takeOver(fields: Fields, use: (stream: TakenOverStream, head: Uint8Array) => void): Reply;
}

/** A connection taken over, with what libraries look for on sockets of `node:net`. */
export interface TakenOverStream extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly remoteFamily: Address['family'];
}

export interface AcceptOptions {
  /** Sent if the client offered it. Default: none. */
  readonly protocol?: string;
  /** Added to the 101. Default: none. */
  readonly fields?: Fields;
}

/** undefined: the next one is asked (`routes`, `handle`, `fetch`); after the last comes 404. */
export type Handler<S = unknown> = (call: Call<S>) => Awaitable<Reply | Response | undefined>;

/** An incoming request on the web level. */
export interface ServerRequest extends Request {
  /** The client's address, without its port. */
  readonly ip: string;
  readonly params?: Readonly<Record<string, string>>;
  /** A drain waits for this work. */
  waitUntil(work: Promise<unknown>): void;
}

/** A route of the web level: `request.params` is filled. */
export interface FetchRoute<S = unknown> {
  fetch(request: ServerRequest, server: Server<S>): Awaitable<Response | undefined>;
}

export type RouteTarget<S = unknown> = Handler<S> | Reply | FetchRoute<S>;
export type Route<S = unknown> = RouteTarget<S> | { readonly [method: Uppercase<string>]: RouteTarget<S> };

/** At least one of `routes`, `handle` and `fetch`, asked in this order. */
export interface App<S = unknown> {
  /**
   * Paths with `:name` for one segment and a final `*` for the rest (`params['*']`); literal segments win over `:name`, and that
   * over `*`. By method: other methods get 405 with Allow, HEAD is answered by GET, OPTIONS with Allow.
   */
  readonly routes?: { readonly [path: `/${string}`]: Route<S> };
  readonly handle?: Handler<S> | undefined;
  /** Web standard. `server` has Bun's methods. undefined: upgraded, or not found. */
  fetch?(request: ServerRequest, server: Server<S>): Awaitable<Response | undefined>;
  /** For `server.upgrade`. */
  readonly websocket?: SocketHandlers | undefined;
  /** Called in each worker before it listens; what it returns is `call.state`. */
  start?(worker: { readonly index: number; readonly count: number }): Awaitable<S>;
  /** Called in each worker once its last connection is gone. */
  stop?(state: S): Awaitable<void>;
  /** Answers a request whose handler has failed; without it: 500, and the error on stderr. undefined: the same. */
  error?(error: unknown, call: Call<S>): Awaitable<Reply | Response | undefined>;
  /** After every answer: for logs and metrics. */
  done?(call: Call<S>, end: AnswerEnd): void;
}

/** Bytes unless the name says otherwise; times in milliseconds, 0 for no limit. */
export interface Limits {
  /** Default 8 KiB; beyond it 414. */
  readonly maxRequestLine: number;
  /** Default 16 KiB; beyond it 431. */
  readonly maxHeaderSize: number;
  /** Fields. Default 100; beyond it 431. */
  readonly maxHeaderCount: number;
  /** Content of a request, however it is read. Default 128 MiB; beyond it 413. */
  readonly maxBodySize: number;
  /** Content that nobody reads is dropped up to this; beyond it the connection closes after the answer. Default 256 KiB. */
  readonly maxDropped: number;
  /** Of all workers together. Default 65536; beyond it 503. */
  readonly maxConnections: number;
  /** On one connection. Default 0: any number. */
  readonly maxRequests: number;
  /** Of a connection without a request. Default 75 s. */
  readonly idleMs: number;
  /** From the first byte of a head to its last. Default 10 s; beyond it 408. */
  readonly headerMs: number;
  /** Without any content arriving. Default 30 s; beyond it 408. */
  readonly bodyMs: number;
  /** From the first byte of a request to its last. Default 5 minutes; beyond it 408. */
  readonly requestMs: number;
  /** For the handler. Default 0: as long as it takes; beyond it 503. */
  readonly handlerMs: number;
  /** While the client takes nothing of its answer. Default 30 s; beyond it the connection is cut off. */
  readonly sendMs: number;
}

/** One place to listen on. Without a protocol of its own, HTTP is spoken there. */
export type ListenTarget =
  /** 0: any free port. Default hostname: '::', which accepts IPv4 too; '0.0.0.0' where there is no IPv6. */
  | { readonly port: number; readonly hostname?: string | undefined; readonly protocol?: Protocol }
  /** Path of a Unix socket, served by all workers. */
  | { readonly unix: string; readonly protocol?: Protocol }
  /** A socket that somebody else has bound, by its number: systemd's are those of `takeSystemdSockets()`. Of threads, only the first serves it. */
  | { readonly descriptor: number; readonly protocol?: Protocol }
  /** UDP. */
  | { readonly port: number; readonly hostname?: string | undefined; readonly datagrams: Datagrams };

export interface Options {
  /** Default 3000; 0: any free port, see `server.port`. */
  readonly port?: number | undefined;
  /** Address or name. Default '::', which accepts IPv4 too; '0.0.0.0' where there is no IPv6. */
  readonly hostname?: string | undefined;
  /** Path of a Unix socket, instead of a port. Default: none. */
  readonly unix?: string | undefined;
  /** Several places at once, instead of port, hostname and unix. */
  readonly listen?: ListenTarget | readonly ListenTarget[] | undefined;
  /** HTTPS: certificates and what is agreed with clients. Default: plain HTTP. */
  readonly tls?: Tls | undefined;
  /**
   * HTTP/2, with TLS by ALPN, without it for clients that begin with its preface. The same handlers are called; WebSockets and
   * `takeOver` need HTTP/1.1, which browsers use for them. Default: with TLS true, without it false.
   */
  readonly http2?: boolean | undefined;
  /**
   * Experimental: HTTP/3 on the UDP port of the same number, with the same certificates and handlers, announced by Alt-Svc in answers of
   * HTTP/1.1 and 2. It needs a Node.js with QUIC, started with `--experimental-quic`; on any other the server does not start and says so.
   * Default false.
   */
  readonly http3?: boolean | undefined;
  /** Default 1: the app runs in the calling thread. More: `entry` is loaded in every worker, where the same call joins in. */
  readonly workers?: number | 'auto' | undefined;
  /**
   * What workers are. Default 'thread'. 'process': the calling process only manages, and a crash, even in native code, costs only its own
   * worker's connections. In the manager no handler runs, `state` throws, and `start` is not called.
   */
  readonly isolation?: 'thread' | 'process' | undefined;
  /** What every further worker loads. Default: the main module. */
  readonly entry?: string | URL | undefined;
  /** Those that differ from their defaults. */
  readonly limits?: Partial<Limits> | undefined;
  /** As Bun says `limits.idleMs`, in seconds; that wins. Default: as `limits` says. */
  readonly idleTimeout?: number | undefined;
  /** As Bun says `limits.maxBodySize`; that wins. Default: as `limits` says. */
  readonly maxRequestBodySize?: number | undefined;
  /** Proxies whose X-Forwarded-* or Forwarded fields are believed. Default false. */
  readonly trustProxy?: TrustProxy | undefined;
  /** Stops the server when it aborts. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * SIGTERM and SIGINT drain the server; a second one ends the process. And systemd is told that the service is ready, stops, and is alive
   * (NOTIFY_SOCKET), if this Node has our binding; any other says on stderr that it cannot. Default false.
   */
  readonly handleSignals?: boolean | undefined;
  /** What a drain may take. Default 10 s. */
  readonly drainMs?: number | undefined;
}

export interface Server<S = unknown> extends AsyncDisposable {
  /** Resolves when it listens; rejects, with the system's `code`, if it cannot. */
  readonly ready: Promise<this>;
  /** Port 0 has become the real one once the server is `ready`. */
  readonly url: URL;
  readonly port: number;
  readonly hostname: string;
  /** Where it listens, in the order of `listen`. Known once the server is `ready`. */
  readonly addresses: readonly Address[];
  /** What this worker's `start` returned. */
  readonly state: S;
  /** In all workers; from other workers' WebSockets and from processes as of a quarter of a second ago. */
  readonly pendingRequests: number;
  readonly pendingWebSockets: number;
  /**
   * Drains: stops accepting, answers what has been accepted with "Connection: close", closes idle connections, WebSockets with
   * 1001, and ends events; whatever is left after `graceMs` (default: `drainMs`) is cut off. `true` cuts everything off at once.
   */
  stop(how?: boolean | { readonly graceMs: number }): Promise<void>;
  /**
   * Serves another app on the same connections; `start` and `stop` of the new one are not called. Functions cannot be sent to other workers:
   * those are replaced one after the other, without losing a connection, by new ones that load `entry` as it is then. So is every worker
   * process. Resolves when all are; rejects if one cannot start, which keeps the old one.
   */
  reload(app: App<S>): Promise<void>;
  /** Keeps the process alive, which is the default. */
  ref(): void;
  unref(): void;
  /** Null once the request is over. */
  requestIP(request: Request): Address | null;
  /** The longest time for the handler, and between two pieces of a stream; 0: none. */
  timeout(request: Request, seconds: number): void;
  /** False: the request is no WebSocket handshake. After true, what the handler returns is not sent. */
  upgrade<D>(request: Request, options?: UpgradeOptions<D>): boolean;
  /** To all subscribers in all workers. Bytes of the payload, 0 if nobody has subscribed. */
  publish(topic: string, data: Content, compress?: boolean): number;
  subscriberCount(topic: string): number;
}

export interface UpgradeOptions<D> {
  /** Becomes `socket.data`. Default: undefined. */
  readonly data?: D;
  /** Added to the 101. Default: none. */
  readonly headers?: ConstructorParameters<typeof globalThis.Headers>[0];
  /** Default: the first that the client offers. */
  readonly protocol?: string;
}
