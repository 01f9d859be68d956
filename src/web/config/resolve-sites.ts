/** From `[[sites]]` to sites; backends that no route names become sites of their own. */
import { parse } from 'valibot';
import { didYouMean } from '../../rules/nearest.ts';
import { isHostName, isIPv4, isIPv6 } from '../../rules/rules.ts';
import type { BackendConfig } from './backend-config.ts';
import type { Resolver } from './context.ts';
import type { KeyPath } from './fault.ts';
import { resolveBackend } from './resolve-backends.ts';
import { type Around, aroundAll, hasAction, makeRoute, resolveRoute, within } from './resolve-routes.ts';
import { checkNetworkList } from './resolve-security.ts';
import type { WrittenConfig } from './schema.ts';
import { BACKEND } from './schema-backends.ts';
import type { WrittenSite } from './schema-sites.ts';
import { readSpan } from './schema-values.ts';
import type { ListenerConfig, MaintenanceConfig, SiteConfig } from './web-config.ts';

export interface SitesAndBackends {
  readonly sites: readonly SiteConfig[];
  readonly backends: Readonly<Record<string, BackendConfig>>;
}

export function resolveSites(
  config: WrittenConfig,
  listeners: readonly ListenerConfig[],
  resolver: Resolver,
): SitesAndBackends {
  const backends = new Map<string, BackendConfig>();
  for (const [name, written] of Object.entries(config.backends)) {
    backends.set(name, resolveBackend(name, written, ['backends', name], config.cache, resolver));
  }
  const used = new Set<string>();
  const backendOf = (written: string | readonly string[], path: KeyPath): string => {
    const name = nameOf(written, path, backends, config, resolver);
    used.add(name);
    return name;
  };
  const around = aroundAll(config, backendOf, resolver);
  const sites = config.sites.map((site, index) => resolveSite(site, ['sites', index], around, listeners, resolver));
  for (const name of Object.keys(config.backends)) {
    if (!used.has(name)) sites.push(siteOfBackend(name, around, resolver));
  }
  if (sites.length === 0) resolver.faults.add([], 'there must be at least one of sites and backends, got none');
  return {
    sites: withDefault(checkHosts(sites, config, resolver), config, resolver),
    backends: Object.fromEntries(backends),
  };
}

/** A name in the file, or a backend made of URLs. */
function nameOf(
  written: string | readonly string[],
  path: KeyPath,
  backends: Map<string, BackendConfig>,
  { cache }: WrittenConfig,
  resolver: Resolver,
): string {
  if (typeof written === 'string' && backends.has(written)) return written;
  const urls = typeof written === 'string' ? [written] : written;
  if (typeof written === 'string' && !/[:.]/.test(written)) {
    const hint = didYouMean(written, [...backends.keys()]);
    resolver.faults.add(
      path,
      `must be the name of a backend, a URL or a list of URLs, got ${JSON.stringify(written)}${hint}`,
    );
    return written;
  }
  const name = urls.join(', ');
  if (!backends.has(name)) backends.set(name, resolveBackend(name, parse(BACKEND, { urls }), path, cache, resolver));
  return name;
}

function resolveSite(
  written: WrittenSite,
  path: KeyPath,
  outer: Around,
  listeners: readonly ListenerConfig[],
  resolver: Resolver,
): SiteConfig {
  const around = within(written, path, outer, resolver);
  const routes = written.routes.map((route, index) => {
    const key = [...path, 'routes', index];
    return resolveRoute(route, key, within(route, key, around, resolver), resolver);
  });
  if (hasAction(written)) routes.push(resolveRoute({ ...written, path: '*', methods: [] }, path, around, resolver));
  if (routes.length === 0)
    resolver.faults.add(path, 'must have routes, or one of files, proxy, redirect, respond and serve');
  for (const [index, host] of written.hosts.entries()) {
    const name = host.replace(/^\*\./, '');
    if (!isHost(name)) {
      resolver.faults.mustBe([...path, 'hosts', index], 'a host name such as example.com or *.example.com', host);
    }
  }
  for (const [index, name] of written.listeners.entries()) {
    if (listeners.some((listener) => listener.name === name)) continue;
    const hint = didYouMean(
      name,
      listeners.map((listener) => listener.name),
    );
    resolver.faults.add(
      [...path, 'listeners', index],
      `must be the name of a listener, got ${JSON.stringify(name)}${hint}`,
    );
  }
  return {
    hosts: written.hosts.map((host) => host.toLowerCase()),
    isDefault: written.default || written.hosts.length === 0,
    listeners: written.listeners,
    routes,
    maintenance: resolveMaintenance(written.maintenance, [...path, 'maintenance'], around.served, resolver),
    redirectsToHttps: written.redirect_https,
    www: written.www ?? null,
  };
}

function siteOfBackend(name: string, around: Around, resolver: Resolver): SiteConfig {
  const host = name.toLowerCase();
  if (!isHost(host.replace(/^\*\./, ''))) {
    const rule = 'must be named by a route (proxy = "…"), or have the name of the host that it serves';
    resolver.faults.add(['backends', name], rule);
  }
  return {
    hosts: [host],
    isDefault: false,
    listeners: [],
    routes: [makeRoute(['*'], [], { kind: 'proxy', backend: name }, { strip: null, rewrites: [] }, around, resolver)],
    maintenance: null,
    redirectsToHttps: false,
    www: null,
  };
}

function resolveMaintenance(
  written: WrittenSite['maintenance'],
  path: KeyPath,
  served: string | null,
  resolver: Resolver,
): MaintenanceConfig | null {
  if (written === false) return null;
  if (written === true) return { switchFile: null, page: null, retryAfterS: 600, allow: [] };
  if (!written.enabled) return null;
  checkNetworkList([...path, 'allow'], written.allow, resolver);
  return {
    switchFile: resolver.optionalPath(written.switch_file),
    page: written.page === undefined ? null : resolver.page([...path, 'page'], written.page, served),
    retryAfterS: Math.round(readSpan(written.retry_after) / 1000),
    allow: written.allow,
  };
}

/** Each host has one site on a listener. */
function checkHosts(sites: readonly SiteConfig[], config: WrittenConfig, resolver: Resolver): readonly SiteConfig[] {
  const seen = new Map<string, number>();
  for (const [index, { hosts, listeners }] of sites.entries()) {
    for (const host of hosts) {
      for (const listener of listeners.length === 0 ? ['*'] : listeners) {
        const key = `${listener} ${host}`;
        const first = seen.get(key);
        if (first === undefined) seen.set(key, index);
        else resolver.faults.add(pathOf(index), `must not serve ${host}, which ${wordsOf(first)} serves already`);
      }
    }
  }
  return sites;

  function pathOf(index: number): KeyPath {
    return index < config.sites.length
      ? ['sites', index]
      : ['backends', (sites[index] as SiteConfig).hosts[0] as string];
  }

  function wordsOf(index: number): string {
    return index < config.sites.length ? `sites[${index}]` : `the backend of this name`;
  }
}

function withDefault(
  sites: readonly SiteConfig[],
  { server }: WrittenConfig,
  resolver: Resolver,
): readonly SiteConfig[] {
  const wanted = server.default_site?.toLowerCase();
  const all = sites.map((site) =>
    wanted !== undefined && site.hosts.includes(wanted) ? { ...site, isDefault: true } : site,
  );
  if (wanted !== undefined && !sites.some(({ hosts }) => hosts.includes(wanted))) {
    resolver.faults.mustBe(['server', 'default_site'], 'a host of a site or a backend', server.default_site);
  }
  const defaults = all.filter(({ isDefault, listeners }) => isDefault && listeners.length === 0);
  if (defaults.length > 1) {
    resolver.faults.add(
      ['sites'],
      `must have one default site at most (default = true, or no hosts), got ${defaults.length}`,
    );
  }
  return all;
}

function isHost(text: string): boolean {
  return isHostName(text) || isIPv4(text) || isIPv6(text.replace(/^\[(.*)\]$/, '$1'));
}
