/**
 * A proxy in one worker: answers requests with those of its upstreams. Owns the upstreams' idle connections and their health checks,
 * until `close`.
 */
import { readFileSync } from 'node:fs';
import type { ForwardedClient, TrustedProxies } from '../content/forwarded.ts';
import type { Call } from '../engine/call.ts';
import { type Connector, openConnector } from '../engine/connector.ts';
import type { Transport } from '../engine/transport.ts';
import { type Answer, textAnswer } from '../http/answer.ts';
import type { Reply } from '../http/reply.ts';
import { reasonPhrase } from '../http/status.ts';
import type { LookUp } from './addresses.ts';
import type { UpstreamCounters } from './counters.ts';
import type { AnswerCoding } from './encoded-content.ts';
import { FAILURES, type FailureReason, type ProxyFailure } from './failures.ts';
import { type HealthChange, HealthCheck } from './health-check.ts';
import { ProxiedAnswer } from './proxied-answer.ts';
import { type Asked, RequestHead } from './request-head.ts';
import { HttpWriter, type RequestWriter } from './request-writer.ts';
import { ResponseHead } from './response-head.ts';
import { authorityOf, type ProxySettings } from './settings.ts';
import { Upstream } from './upstream.ts';
import { UpstreamClock } from './upstream-clock.ts';
import { UpstreamGroup } from './upstream-group.ts';

export interface ProxyOptions {
  readonly settings: ProxySettings;
  /** That of the engine: upstreams are connected to in the same way. */
  readonly transport: Transport;
  /** Whose X-Forwarded-* and Forwarded are believed; null: nobody's. */
  readonly trusted?: TrustedProxies | null;
  /** What upstreams get as X-Request-ID, whatever the client says; null: what the client says. */
  readonly requestId?: ((call: Call) => string) | null;
  /** Told of each attempt that fails. */
  readonly onFailure?: (failure: ProxyFailure) => void;
  /** Told when checks change their mind about an upstream. */
  readonly onHealth?: (change: HealthChange) => void;
  /** Told what FastCGI applications say to people, of the upstream with that URL. */
  readonly onMessage?: (url: string, text: string) => void;
  /** By default the name servers of the system. */
  readonly lookUp?: LookUp;
}

/** What one route makes of requests and answers, whoever answers them. */
export interface AnswerLook {
  /** Changes fields of an upstream's answer, given as lines with their CR LF; null: none are changed. */
  readonly editLines: ((lines: string) => string) | null;
  /** The same for fields of the request. */
  readonly editRequestLines: ((lines: string, call: Call) => string) | null;
  /** Instead of an answer of an upstream. */
  error(status: number): Reply;
}

/** How an upstream is doing. */
export interface UpstreamState {
  readonly url: string;
  readonly isHealthy: boolean;
  readonly isDraining: boolean;
  /** Live: read when they are looked at. */
  readonly counters: UpstreamCounters;
}

export async function openProxy(options: ProxyOptions): Promise<ReverseProxy> {
  const { settings, transport } = options;
  const plain = await openConnector(transport);
  const isSecure = settings.upstreams.some(({ protocol }) => protocol === 'https');
  const secure = isSecure ? (await import('../engine/tls-connector.ts')).tlsConnector : null;
  const ca = settings.tls.caFile === null ? {} : { ca: readFileSync(settings.tls.caFile, 'utf8') };
  const connectorOf = ({ protocol, host }: ProxySettings['upstreams'][number]): Connector => {
    if (protocol !== 'https' || secure === null) return plain;
    const serverName = settings.tls.serverName ?? host;
    return secure({ serverName, isUnverified: !settings.tls.verifies, ...ca });
  };
  return new ReverseProxy(options, connectorOf, await writerOf(options));
}

async function writerOf({ settings, trusted = null }: ProxyOptions): Promise<(head: RequestHead) => RequestWriter> {
  const { fastCgi } = settings;
  if (fastCgi === null) return (head) => new HttpWriter(head);
  const { FastCgiWriter } = await import('./fastcgi-writer.ts');
  return (head) => new FastCgiWriter(head, fastCgi, (call) => clientOf(trusted, call));
}

function clientOf(trusted: TrustedProxies | null, call: Call): ForwardedClient | null {
  return trusted === null ? null : trusted.clientOf(call.remote.address, (name) => call.header(name));
}

export class ReverseProxy {
  readonly settings: ProxySettings;
  readonly group: UpstreamGroup;
  readonly writer: RequestWriter;
  readonly responseHead = new ResponseHead();
  /** The head of a request depends on which upstream it goes to. */
  readonly headsDiffer: boolean;
  readonly #clock = new UpstreamClock();
  readonly #onFailure: ((failure: ProxyFailure) => void) | null;
  /** Owned: stopped in close(). */
  readonly #checks: HealthCheck[];
  readonly #refusals = new Map<FailureReason, Answer>();

  constructor(
    options: ProxyOptions,
    connectorOf: (upstream: ProxySettings['upstreams'][number]) => Connector,
    makeWriter: (head: RequestHead) => RequestWriter,
  ) {
    const {
      settings,
      trusted = null,
      requestId = null,
      onFailure = null,
      onHealth = ignore,
      onMessage = ignore,
      lookUp,
    } = options;
    this.settings = settings;
    this.#onFailure = onFailure;
    const upstreams = settings.upstreams.map(
      (own) => new Upstream(own, settings, connectorOf(own), this.#clock, lookUp, onMessage),
    );
    const addressOf = (call: Call) => clientOf(trusted, call)?.address ?? call.remote.address;
    this.group = new UpstreamGroup(upstreams, settings, this.#clock, addressOf);
    const requestHead = new RequestHead({ host: settings.host, forwarded: settings.forwarded, trusted, requestId });
    this.writer = makeWriter(requestHead);
    const heads = new Set(
      settings.upstreams.map((one) => `${'from' in settings.host ? authorityOf(one) : ''} ${one.basePath}`),
    );
    this.headsDiffer = heads.size > 1;
    const { health } = settings;
    this.#checks = health === null ? [] : upstreams.map((one) => new HealthCheck(one, health, this.writer, onHealth));
    for (const check of this.#checks) check.start();
  }

  /**
   * The answer of an upstream. `target`, in origin-form, replaces that of the request; `scheme` is that of its connection; more than
   * `maxContent` bytes of content are answered with 413; `coding` compresses answers.
   */
  handle(
    call: Call,
    scheme: Asked['scheme'] = 'http',
    target: string | null = null,
    look: AnswerLook | null = null,
    maxContent = Number.POSITIVE_INFINITY,
    coding: AnswerCoding | null = null,
    script: Asked['script'] = null,
  ): Reply {
    return new ProxiedAnswer(this, call, scheme, target, script, look, maxContent, coding);
  }

  /** All upstreams, in the order of the settings. */
  states(): UpstreamState[] {
    return this.group.all.map((one) => ({
      url: one.own.url,
      isHealthy: !one.health.isCheckedDown && !one.health.isOut(this.#clock.now),
      isDraining: one.isDraining,
      counters: one.read(),
    }));
  }

  /** From now on it gets no new clients, or gets them again. False: there is no such upstream. */
  drain(url: string, isDraining = true): boolean {
    const upstream = this.group.all.find(({ own }) => own.url === url);
    if (upstream === undefined) return false;
    upstream.isDraining = isDraining;
    return true;
  }

  /** Idle connections close now; requests under way, and tunnels, go on. */
  close(): void {
    for (const check of this.#checks) check.stop();
    for (const upstream of this.group.all) upstream.close();
  }

  /** What the client gets for a failure. */
  refusal(reason: FailureReason): Answer {
    let answer = this.#refusals.get(reason);
    if (answer === undefined) {
      const { status } = FAILURES[reason];
      answer = textAnswer(`${status} ${reasonPhrase(status)}\n`, status);
      this.#refusals.set(reason, answer);
    }
    return answer;
  }

  /** `line` begins with the method and the target. */
  tell(
    upstream: Upstream | null,
    reason: FailureReason,
    detail: string,
    line: string,
    outcome: ProxyFailure['outcome'],
  ): void {
    if (this.#onFailure === null) return;
    const [method = '', target = ''] = line.split(' ', 2);
    const url = upstream?.own.url ?? '';
    this.#onFailure({ proxy: this.settings.name, upstream: url, reason, detail, method, target, outcome });
  }
}

function ignore(): void {}
