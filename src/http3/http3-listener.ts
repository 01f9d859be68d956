/**
 * Where a server listens for HTTP/3: one endpoint of `node:quic` in each worker, on the UDP port of the number that TCP has. Owns the
 * endpoint. Its certificates are those of the TLS listeners beside it.
 */
import { Buffer } from 'node:buffer';
import { createHash, createPrivateKey } from 'node:crypto';
import { SocketAddress } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Engine } from '../engine/engine.ts';
import type { EngineLimits } from '../engine/limits.ts';
import type { Listener } from '../engine/transport.ts';
import { Http3Connection } from './http3-connection.ts';
import { loadQuic, type QuicEndpoint, type QuicIdentity, type QuicSession } from './quic.ts';
import { Http3Code } from './quic-request-stream.ts';

/** A certificate that is ready for use. */
export interface Http3Certificate {
  /** PEM, the server's first. */
  readonly cert: string;
  readonly key: string;
  readonly hosts: readonly string[];
}

/** The certificates of a server as they are now. */
export interface Http3Certificates {
  /** In their order; the first is for clients that name no host. */
  readonly loaded: readonly Http3Certificate[];
  certificateFor(serverName: string | null): Http3Certificate;
}

/** TLS beside it, whose certificates it has too. */
export interface Http3Secured {
  readonly certificates: Http3Certificates;
  /** Called when there are others. */
  onReplaced: (() => void) | null;
}

/** The UDP port beside one of TCP. */
export interface Http3Place {
  readonly address: string;
  readonly port: number;
  /** Sets SO_REUSEPORT: each worker has an endpoint, and the kernel spreads clients by their addresses. */
  readonly reusePort: boolean;
}

export type OpenHttp3 = (engine: Engine, place: Http3Place) => Promise<void>;

export interface Http3ListenOptions extends Http3Place {
  readonly certificates: () => Http3Certificates;
  /** Of all workers: what tokens and stateless resets are made with. */
  readonly secret: Uint8Array;
}

/** How long clients may remember that there is HTTP/3. */
const ADVERTISED_SECONDS = 24 * 60 * 60;
const MAX_STREAMS = 100;
const MAX_HANDSHAKE_MS = 60_000;
/** A client that is gone is noticed after this long; one that is there is asked before, while it waits for an answer. */
const QUIC_IDLE_SECONDS = 30;
const KEEP_ALIVE_MS = 12_000;
/** Of the fields that HTTP/1 has in its request line. */
const PSEUDO_FIELDS = 4;
/** Node drops fields beyond its limits without a word. None has more bytes than nghttp3 takes, so what is left is over ours, and refused. */
const MAX_FIELD_BYTES = 65_536 + 256;
/** Names that clients asked for and no certificate spells out: those of wildcards. */
const MAX_LEARNED_NAMES = 1000;
const SECRET_BYTES = 16;

/** `secret`: of all workers. Whatever is opened follows when the certificates change. */
export function http3Opener(secured: Http3Secured, secret: Uint8Array): OpenHttp3 {
  const opened: Http3Listener[] = [];
  secured.onReplaced = () => {
    for (const listener of opened) listener.refresh();
  };
  const certificates = () => secured.certificates;
  return async (engine, place) => {
    opened.push(await Http3Listener.open(engine, { ...place, certificates, secret }));
  };
}

export class Http3Listener implements Listener {
  readonly #endpoint: QuicEndpoint;
  readonly #engine: Engine;
  readonly #certificates: () => Http3Certificates;
  readonly #learned = new Set<string>();
  /** What the endpoint has for each name. */
  readonly #known = new Map<string, Http3Certificate>();
  readonly #first: Http3Certificate;
  #sessions = 0;
  #isDraining = false;
  readonly address: string;
  readonly port: number;

  private constructor(engine: Engine, certificates: () => Http3Certificates, endpoint: QuicEndpoint) {
    this.#engine = engine;
    this.#certificates = certificates;
    this.#endpoint = endpoint;
    this.address = endpoint.address?.address ?? '';
    this.port = endpoint.address?.port ?? 0;
    this.#first = certificates().certificateFor(null);
    for (const [name, one] of namesOf(certificates(), [])) this.#known.set(name, one);
  }

  /** Rejects with what the runtime lacks, or with the system's error. */
  static async open(engine: Engine, options: Http3ListenOptions): Promise<Http3Listener> {
    const { listen } = loadQuic();
    const { address, port, reusePort, certificates, secret } = options;
    const { limits } = engine;
    const ready: { listener: Http3Listener | null } = { listener: null };
    const endpoint = await listen((session) => ready.listener?.onSession(session), {
      endpoint: {
        address: new SocketAddress({ address, port, family: address.includes(':') ? 'ipv6' : 'ipv4' }),
        reusePort,
        // A Retry: nobody gets more than a few bytes before it has shown that it is where it says.
        validateAddress: true,
        tokenSecret: derived(secret, 'token'),
        resetTokenSecret: derived(secret, 'reset'),
      },
      sni: identities(certificates()),
      alpn: ['h3'],
      enableEarlyData: false,
      handshakeTimeout: Math.min(limits.headerTimeoutMs, MAX_HANDSHAKE_MS),
      keepAlive: KEEP_ALIVE_MS,
      // Streams have deadlines of the engine, and a slow handler is no slow client.
      streamIdleTimeout: 0,
      transportParams: {
        initialMaxStreamsBidi: MAX_STREAMS,
        maxIdleTimeout: QUIC_IDLE_SECONDS,
        maxDatagramFrameSize: 0,
      },
      application: fieldLimits(limits),
      onerror: ignore,
    });
    const closed = endpoint.closed.then(ignore, (error: Error) => error);
    if (endpoint.address === undefined) throw refusalOf(await closed, options);
    ready.listener = new Http3Listener(engine, certificates, endpoint);
    engine.addListener(ready.listener);
    engine.advertise(`h3=":${ready.listener.port}"; ma=${ADVERTISED_SECONDS}`);
    return ready.listener;
  }

  onSession(session: QuicSession): void {
    session.onerror = ignore;
    const name = typeof session.servername === 'string' ? session.servername.toLowerCase() : null;
    if (name !== null && !this.#hasRight(name)) {
      // It would get another certificate than it should. It begins again, because it hears nothing, and gets this one.
      session.destroy(undefined, { code: Http3Code.requestRejected, type: 'application' });
      return;
    }
    this.#sessions++;
    const onEnd = () => {
      this.#sessions--;
      this.#closeIfEmpty();
    };
    session.closed.then(onEnd, onEnd);
    this.#engine.adopt((host) => new Http3Connection(host, session));
  }

  /** The certificates are others now. */
  refresh(): void {
    this.#known.clear();
    for (const [name, one] of namesOf(this.#certificates(), this.#learned)) this.#known.set(name, one);
    this.#endpoint.setSNIContexts(Object.fromEntries([...this.#known].map(([name, one]) => [name, identityOf(one)])), {
      replace: true,
    });
  }

  close(): void {
    this.#endpoint.destroy();
  }

  /** Accepts nobody any more; the socket is closed with the last connection. */
  drain(): Promise<void> {
    this.#endpoint.busy = true;
    this.#isDraining = true;
    this.#closeIfEmpty();
    return Promise.resolve();
  }

  /** Node has no way to tell; the listener for TCP beside it does. */
  ref(): void {}

  unref(): void {}

  /** Not before: Node cuts off what is under way when an endpoint closes. */
  #closeIfEmpty(): void {
    if (this.#isDraining && this.#sessions === 0) this.#endpoint.close().catch(ignore);
  }

  /** Node looks up whole names only: those of a wildcard are learned when somebody asks for them. */
  #hasRight(name: string): boolean {
    const right = this.#certificates().certificateFor(name);
    if ((this.#known.get(name) ?? this.#first) === right) return true;
    if (this.#learned.size >= MAX_LEARNED_NAMES) return right === this.#first;
    this.#learned.add(name);
    this.#known.set(name, right);
    this.#endpoint.setSNIContexts({ [name]: identityOf(right) }, { replace: false });
    return false;
  }
}

function identities(certificates: Http3Certificates): Record<string, QuicIdentity> {
  const all: Record<string, QuicIdentity> = { '*': identityOf(certificates.certificateFor(null)) };
  for (const [name, one] of namesOf(certificates, [])) all[name] = identityOf(one);
  return all;
}

function* namesOf(
  certificates: Http3Certificates,
  others: Iterable<string>,
): Generator<[name: string, one: Http3Certificate]> {
  const names = new Set(certificates.loaded.flatMap(({ hosts }) => hosts.filter((host) => !host.startsWith('*'))));
  for (const name of others) names.add(name);
  for (const name of names) yield [name, certificates.certificateFor(name)];
}

function identityOf({ cert, key }: Http3Certificate): QuicIdentity {
  return { keys: [createPrivateKey(key)], certs: [Buffer.from(cert)], authoritative: false };
}

/** The system's reason is a number at the end of Node's message. */
function refusalOf(error: unknown, { address, port }: Http3ListenOptions): Error {
  const number = Number(/\((-\d+)\)$/.exec((error as Error | undefined)?.message ?? '')?.[1]);
  const code = Number.isNaN(number) ? 'EINVAL' : getSystemErrorName(number);
  return Object.assign(new Error(`HTTP/3 must have the UDP port ${port} of ${address} (${code})`), { code });
}

function fieldLimits({ maxHeaderSize, maxHeaderCount, maxRequestLine }: EngineLimits): object {
  return {
    maxHeaderPairs: maxHeaderCount + PSEUDO_FIELDS + 1,
    maxHeaderLength: maxHeaderSize + maxRequestLine + MAX_FIELD_BYTES,
    maxFieldSectionSize: maxHeaderSize,
    enableDatagrams: false,
  };
}

function derived(secret: Uint8Array, purpose: string): Buffer {
  return createHash('sha256').update(`http3 ${purpose}`).update(secret).digest().subarray(0, SECRET_BYTES);
}

function ignore(): void {}
