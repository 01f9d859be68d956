/** What one worker of a web server serves: its configuration made into sites. Owns all that they hold. */
import { readFileSync } from 'node:fs';
import { TrustedProxies } from '../content/forwarded.ts';
import type { Call, Handler } from '../engine/call.ts';
import type { Transport } from '../engine/transport.ts';
import { contentTypeOf } from '../files/mime.ts';
import { reply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { ProxyFailure } from '../proxy/failures.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import { AnswerShape, NO_RULES, readErrorPages } from './answer-shape.ts';
import { Clients } from './client.ts';
import { Compressor } from './compressor.ts';
import { METRICS_LISTENER } from './config/metrics-site.ts';
import type { TlsConfig } from './config/tls-config.ts';
import type { ListenerConfig, RouteConfig, SiteConfig, WebConfig } from './config/web-config.ts';
import { FilesAction } from './files-action.ts';
import { makeGuards } from './guards/make-guards.ts';
import { authorityOf, HostTable, hostOf } from './hosts.ts';
import { compilePattern } from './path-pattern.ts';
import { RedirectAction } from './redirect-action.ts';
import { RequestNames } from './request-names.ts';
import { RespondAction } from './respond-action.ts';
import { type Action, Route } from './route.ts';
import type { SharedState } from './shared-state.ts';
import { Maintenance, redirectTo, type SecurePort, Site } from './site.ts';
import { publishUpstreams } from './upstream-totals.ts';

/** Where an app is served. */
export interface WebPlace {
  readonly shared: SharedState;
  /** That of the engine. */
  readonly transport: Transport;
  readonly worker: number;
  readonly isDraining: () => boolean;
  readonly report: (error: unknown) => void;
}

const PUBLISH_MS = 1000;

export class WebApp {
  readonly #config: WebConfig;
  readonly #clients: Clients;
  readonly names: RequestNames;
  readonly #plain = new AnswerShape(NO_RULES, [], []);
  readonly #routes: Route[] = [];
  readonly #compressors = new Map<string, Compressor>();
  readonly #place: WebPlace;
  /** Owned. By the name of their backend. */
  readonly #proxies = new Map<string, ReverseProxy>();
  /** null: certificates are not got by HTTP. */
  #challengeAnswer: ((tls: TlsConfig, path: string) => string | null) | null = null;
  #sites: ReadonlyMap<SiteConfig, Site> = new Map();
  /** Owned: cleared in close(). */
  #publisher: NodeJS.Timeout | null = null;
  readonly #secure: SecurePort = { port: null };

  private constructor(config: WebConfig, place: WebPlace) {
    this.#config = config;
    this.#place = place;
    this.#clients = new Clients(config.server.trustedProxies);
    this.names = new RequestNames(this.#clients);
  }

  /** Rejects with what the system says about a folder or a page that has gone since the configuration was checked. */
  static async open(config: WebConfig, place: WebPlace): Promise<WebApp> {
    const app = new WebApp(config, place);
    try {
      await app.#open();
      return app;
    } catch (error) {
      app.close();
      throw error;
    }
  }

  async #open(): Promise<void> {
    const { backends, listeners, logging, server, sites, tls } = this.#config;
    if (tls?.automatic?.kind === 'acme') this.#challengeAnswer = (await import('../tls/managed.ts')).challengeAnswer;
    const trusted = server.trustedProxies.length === 0 ? null : new TrustedProxies(server.trustedProxies);
    for (const settings of Object.values(backends)) {
      const { openProxy } = await import('../proxy/reverse-proxy.ts');
      const { transport, report } = this.#place;
      const onFailure = (failure: ProxyFailure) => report(failureText(failure));
      // Without a log nobody could look it up.
      const requestId = logging.access === null ? null : this.names.of;
      const onMessage = (url: string, text: string) => report(`${settings.name}: ${url} says: ${visible(text)}`);
      const onHealth = () => this.publish();
      const options = { settings, transport, trusted, onFailure, onHealth, onMessage, requestId };
      this.#proxies.set(settings.name, await openProxy(options));
    }
    this.listensAt(listeners);
    const made = new Map<SiteConfig, Site>();
    for (const site of sites) made.set(site, await this.#makeSite(site));
    this.#sites = made;
    this.publish();
    if (this.#config.metrics === null || this.#proxies.size === 0) return;
    // A worker without connections has no ticks that would do it, and upstreams come back when a time is over.
    this.#publisher = setInterval(() => this.publish(), PUBLISH_MS);
    this.#publisher.unref();
  }

  get proxies(): ReadonlyMap<string, ReverseProxy> {
    return this.#proxies;
  }

  /** Lets all workers know how the upstreams are doing in this one. */
  publish(): void {
    const { shared, worker } = this.#place;
    if (this.#config.metrics !== null && this.#proxies.size > 0)
      publishUpstreams(shared.upstreams, shared.workers, worker, this.#proxies);
  }

  get config(): WebConfig {
    return this.#config;
  }

  /** The ports that the kernel has chosen, for links to the listener with TLS. */
  listensAt(listeners: readonly ListenerConfig[]): void {
    this.#secure.port = listeners.find(({ isTls, unixPath }) => isTls && unixPath === null)?.port ?? null;
  }

  handlerFor(listener: ListenerConfig): Handler {
    const { redirectsToPort } = listener;
    const secure = this.#secure;
    const handler: Handler =
      redirectsToPort === null
        ? this.#sitesOn(listener)
        : (call) => redirectTo(call, 'https', hostOf(authorityOf(call)), redirectsToPort || (secure.port ?? 443));
    const { tls } = this.#config;
    const answerOf = this.#challengeAnswer;
    if (tls === null || listener.isTls || answerOf === null) return handler;
    // An authority that asks must not be redirected, nor reach an application (RFC 8555 §8.3).
    return (call) => {
      const proof = call.path.startsWith('/.well-known/acme-challenge/') ? answerOf(tls, call.path) : null;
      return proof === null ? handler(call) : reply(200, { 'Content-Type': 'application/octet-stream' }, proof);
    };
  }

  #sitesOn({ isTls, name }: ListenerConfig): Handler {
    const isOpen = name !== METRICS_LISTENER;
    const here = this.#config.sites.filter(
      ({ listeners }) => listeners.includes(name) || (isOpen && listeners.length === 0),
    );
    const siteOf = (site: SiteConfig) => this.#sites.get(site) as Site;
    const byDefault = here.find(({ isDefault }) => isDefault);
    const hosts = new HostTable(
      here.map((site) => ({ hosts: site.hosts, site: siteOf(site) })),
      byDefault === undefined ? null : siteOf(byDefault),
    );
    const { maxUriLength } = this.#config.server;
    const plain = this.#plain;
    return (call: Call): Reply | Promise<Reply> => {
      if (call.target.length > maxUriLength) return plain.error(414);
      const site = hosts.find(call);
      return site === null ? plain.error(421) : site.answer(call, isTls);
    };
  }

  close(): void {
    if (this.#publisher !== null) clearInterval(this.#publisher);
    for (const route of this.#routes) route.close();
    for (const proxy of this.#proxies.values()) proxy.close();
  }

  async #makeSite(config: SiteConfig): Promise<Site> {
    const routes: Route[] = [];
    for (const route of config.routes) routes.push(await this.#makeRoute(route));
    this.#routes.push(...routes);
    // What no route answers looks like the answers of the last one, which stands for the rest of the site.
    const shape = shapeOf(config.routes.at(-1));
    return new Site({
      routes,
      shape,
      clients: this.#clients,
      maintenance: this.#makeMaintenance(config, shape),
      secure: config.redirectsToHttps ? this.#secure : null,
      www: config.www,
    });
  }

  #makeMaintenance({ maintenance }: SiteConfig, shape: AnswerShape): Maintenance | null {
    if (maintenance === null) return null;
    const { page, retryAfterS } = maintenance;
    const type = page === null ? 'text/plain; charset=utf-8' : contentTypeOf(page);
    const content = page === null ? '503 Service Unavailable: closed for maintenance\n' : readFileSync(page);
    const fields = [['Content-Type', type] as const, ['Cache-Control', 'no-store'] as const];
    if (retryAfterS > 0) fields.push(['Retry-After', String(retryAfterS)] as never);
    return new Maintenance(maintenance, this.#clients, shape.prepare(503, fields, content));
  }

  async #makeRoute(config: RouteConfig): Promise<Route> {
    const { cors } = config.security;
    const plain = shapeOf(config);
    const { corsShapes } = cors === null ? { corsShapes: null } : await import('./guards/cross-origin.ts');
    const shapesOf = (one: AnswerShape) =>
      cors === null || corsShapes === null ? { shape: one, choose: null } : corsShapes(cors, one);
    const shapes = shapesOf(plain);
    const hsts = this.#config.tls?.hsts ?? null;
    // RFC 6797 §7.2: never over plain HTTP.
    const secure = hsts === null ? shapes : shapesOf(plain.with([['Strict-Transport-Security', hsts]]));
    return new Route({
      patterns: config.paths.map(compilePattern),
      methods: config.methods,
      guards: await makeGuards(config.security, this.#place.shared, this.#clients),
      strip: config.strip,
      rewrites: config.rewrites.map(({ match, to }) => ({ match: new RegExp(match), to })),
      action: await this.#makeAction(config),
      shape: shapes.shape,
      chooseShape: shapes.choose,
      secureShape: secure.shape,
      chooseSecureShape: secure.choose,
      maxBodySize: config.maxBodySize,
    });
  }

  async #makeAction({ action, compression, maxBodySize }: RouteConfig): Promise<Action> {
    switch (action.kind) {
      case 'files': {
        const compressor = compression === null ? null : this.#compressorFor(compression);
        return new FilesAction(action, compressor, this.#place.shared.workers);
      }
      case 'redirect':
        return new RedirectAction(action, this.#clients);
      case 'respond':
        return new RespondAction(action);
      case 'proxy': {
        const proxy = this.#proxies.get(action.backend) as ReverseProxy;
        const proxiedCompressor = compression?.proxied === true ? this.#compressorFor(compression) : null;
        const scripts = this.#config.backends[action.backend]?.scripts ?? null;
        if (scripts === null) {
          const { ProxyAction } = await import('./proxy-action.ts');
          return new ProxyAction(proxy, maxBodySize, proxiedCompressor);
        }
        const { ScriptsAction } = await import('./scripts-action.ts');
        const compressor = compression === null ? null : this.#compressorFor(compression);
        const { workers } = this.#place.shared;
        return new ScriptsAction(scripts, { proxy, maxContent: maxBodySize, compressor, proxiedCompressor, workers });
      }
      case 'internal': {
        const { InternalAction } = await import('./internal-action.ts');
        return new InternalAction(action.page, this.#place, this);
      }
    }
  }

  /** Routes with the same rules share the memory for kept answers. */
  #compressorFor(compression: NonNullable<RouteConfig['compression']>): Compressor {
    const key = JSON.stringify(compression);
    const known = this.#compressors.get(key) ?? new Compressor(compression);
    this.#compressors.set(key, known);
    return known;
  }
}

function failureText({ proxy, upstream, reason, detail, method, target, outcome }: ProxyFailure): string {
  return `${proxy}: ${upstream} ${reason}${detail === '' ? '' : ` (${detail})`}, ${method} ${target}: ${outcome}`;
}

/** Nothing that is shown in a terminal acts on it, and no line that is said looks like one of ours. */
function visible(text: string): string {
  return text
    .replace(/[^\t\n -~\u00a0-\u{10ffff}]/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replaceAll('\n', '\n    ');
}

function shapeOf(route: RouteConfig | undefined): AnswerShape {
  if (route === undefined) return new AnswerShape(NO_RULES, [], []);
  return new AnswerShape(route.headers, route.security.headers, readErrorPages(route.errorPages), route.requestHeaders);
}
