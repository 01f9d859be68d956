/** What one worker of a web server serves: its configuration made into sites. Owns all that they hold. */
import { readFileSync } from 'node:fs';
import type { Call, Handler } from '../engine/call.ts';
import { contentTypeOf } from '../files/mime.ts';
import type { Reply } from '../http/reply.ts';
import { AnswerShape, readErrorPages } from './answer-shape.ts';
import { Clients } from './client.ts';
import { Compressor } from './compressor.ts';
import type { ListenerConfig, RouteConfig, SiteConfig, WebConfig } from './config/web-config.ts';
import { FilesAction } from './files-action.ts';
import { authorityOf, HostTable, hostOf } from './hosts.ts';
import { compilePattern } from './path-pattern.ts';
import { RedirectAction } from './redirect-action.ts';
import { RespondAction } from './respond-action.ts';
import { type Action, Route } from './route.ts';
import type { SharedState } from './shared-state.ts';
import { Maintenance, redirectTo, Site } from './site.ts';

const NO_RULES = { set: [], add: [], remove: [] };

export class WebApp {
  readonly #config: WebConfig;
  readonly #clients: Clients;
  readonly #plain = new AnswerShape(NO_RULES, [], []);
  readonly #routes: Route[] = [];
  readonly #compressors = new Map<string, Compressor>();
  readonly #sites: ReadonlyMap<SiteConfig, Site>;

  /** Throws what the system says about a folder or a page that has gone since the configuration was checked. */
  constructor(config: WebConfig, { workers }: SharedState) {
    this.#config = config;
    this.#clients = new Clients(config.server.trustedProxies);
    const httpsPort = config.listeners.find(({ isTls }) => isTls)?.port ?? null;
    this.#sites = new Map(config.sites.map((site) => [site, this.#makeSite(site, httpsPort, workers)]));
  }

  handlerFor(listener: ListenerConfig): Handler {
    const { isTls, redirectsToPort, name } = listener;
    if (redirectsToPort !== null) {
      return (call) => redirectTo(call, 'https', hostOf(authorityOf(call)), redirectsToPort);
    }
    const here = this.#config.sites.filter(({ listeners }) => listeners.length === 0 || listeners.includes(name));
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
    for (const route of this.#routes) route.close();
  }

  #makeSite(config: SiteConfig, httpsPort: number | null, workers: number): Site {
    const routes = config.routes.map((route) => this.#makeRoute(route, workers));
    this.#routes.push(...routes);
    // What no route answers looks like the answers of the last one, which stands for the rest of the site.
    const shape = shapeOf(config.routes.at(-1));
    return new Site({
      routes,
      shape,
      clients: this.#clients,
      maintenance: this.#makeMaintenance(config, shape),
      httpsPort: config.redirectsToHttps ? httpsPort : null,
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

  #makeRoute(config: RouteConfig, workers: number): Route {
    return new Route({
      patterns: config.paths.map(compilePattern),
      methods: config.methods,
      guards: [],
      rewrites: config.rewrites.map(({ match, to }) => ({ match: new RegExp(match), to })),
      action: this.#makeAction(config, workers),
      shape: shapeOf(config),
      chooseShape: null,
      maxBodySize: config.maxBodySize,
    });
  }

  #makeAction({ action, compression }: RouteConfig, workers: number): Action {
    switch (action.kind) {
      case 'files':
        return new FilesAction(action, compression === null ? null : this.#compressorFor(compression), workers);
      case 'redirect':
        return new RedirectAction(action);
      case 'respond':
        return new RespondAction(action);
      case 'proxy':
      case 'internal':
        throw new Error(`the web server cannot serve ${action.kind} yet`);
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

function shapeOf(route: RouteConfig | undefined): AnswerShape {
  if (route === undefined) return new AnswerShape(NO_RULES, [], []);
  return new AnswerShape(route.headers, route.security.headers, readErrorPages(route.errorPages));
}
