/** From a route of the file to what it does, with what the tables around it say. */
import { parse } from 'valibot';
import { checkField } from '../../http/fields.ts';
import { mustBeEmpty } from '../../http/status.ts';
import { nearest } from '../../rules/nearest.ts';
import type { Resolver } from './context.ts';
import type { KeyPath } from './fault.ts';
import { type Layer, resolveSecurity } from './resolve-security.ts';
import type { WrittenConfig } from './schema.ts';
import { COMPRESSION, type WrittenCompression, type WrittenHeaderRules, type WrittenRoute } from './schema-sites.ts';
import { readSize, readSpan } from './schema-values.ts';
import {
  type CacheRule,
  type CompressionConfig,
  type ErrorPageConfig,
  type FilesAction,
  type HeaderRules,
  REDIRECT_VARIABLES,
  type RedirectAction,
  type RewriteConfig,
  type RouteAction,
  type RouteConfig,
} from './web-config.ts';

/** Keys that a route and a site share. */
export type WrittenAction = Omit<WrittenRoute, 'path' | 'methods'>;

/** What the tables around a route say. */
export interface Around {
  readonly security: readonly Layer[];
  readonly compression: WrittenConfig['compression'];
  readonly errorPages: readonly ErrorPageConfig[];
  readonly headers: HeaderRules;
  readonly requestHeaders: HeaderRules;
  readonly maxBodySize: number | null;
  /** The folder that is served; null: none. */
  readonly served: string | null;
  readonly cache: WrittenConfig['cache'];
  /** The name of the backend that `proxy` stands for. */
  readonly backendOf: (written: string | readonly string[], path: KeyPath) => string;
}

const NO_RULES: HeaderRules = { set: [], add: [], remove: [] };
const IMMUTABLE = 'public, max-age=31536000, immutable';
const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const COMPRESSION_DEFAULTS: WrittenCompression = parse(COMPRESSION, {});
const ACTION_KEYS = ['files', 'proxy', 'redirect', 'respond', 'serve'] as const;

/** What stands around the routes of the file. */
export function aroundAll(config: WrittenConfig, backendOf: Around['backendOf'], resolver: Resolver): Around {
  const security: Layer = { table: config.security ?? {}, path: ['security'] };
  // Its faults are told once, here.
  resolveSecurity([security], resolver);
  return {
    security: [security],
    compression: config.compression,
    errorPages: resolveErrorPages(config.error_pages, ['error_pages'], null, resolver),
    headers: NO_RULES,
    requestHeaders: NO_RULES,
    maxBodySize: null,
    served: null,
    cache: config.cache,
    backendOf,
  };
}

/** A site or a route in what is around it. */
export function within(written: WrittenAction, path: KeyPath, around: Around, resolver: Resolver): Around {
  const served = written.files === undefined ? around.served : resolver.path(written.files);
  const pages = resolveErrorPages(written.error_pages, [...path, 'error_pages'], served, resolver);
  return {
    security: [{ table: written.security, path: [...path, 'security'] }, ...around.security],
    compression: written.compression ?? around.compression,
    errorPages: [...pages, ...around.errorPages],
    headers: joined(around.headers, resolveHeaders(written.headers, [...path, 'headers'], resolver)),
    requestHeaders: joined(
      around.requestHeaders,
      resolveHeaders(written.request_headers, [...path, 'request_headers'], resolver),
    ),
    maxBodySize: written.max_request_size === undefined ? around.maxBodySize : readSize(written.max_request_size),
    served,
    cache: around.cache,
    backendOf: around.backendOf,
  };
}

export function hasAction(written: WrittenAction): boolean {
  return ACTION_KEYS.some((key) => written[key] !== undefined) || written.status !== undefined;
}

export function resolveRoute(written: WrittenRoute, path: KeyPath, around: Around, resolver: Resolver): RouteConfig {
  const paths = typeof written.path === 'string' ? [written.path] : written.path;
  if (paths.length === 0) resolver.faults.add([...path, 'path'], 'must have at least one path, got none');
  for (const [index, method] of written.methods.entries()) {
    if (!/^[A-Z-]+$/.test(method)) {
      resolver.faults.mustBe([...path, 'methods', index], 'a method in upper case such as GET', method);
    }
  }
  return makeRoute(
    paths,
    written.methods,
    resolveAction(written, path, around, resolver),
    resolveRewrites(written, path, resolver),
    around,
    resolver,
  );
}

export function makeRoute(
  paths: readonly string[],
  methods: readonly string[],
  action: RouteAction,
  { strip, rewrites }: Pick<RouteConfig, 'strip' | 'rewrites'>,
  around: Around,
  resolver: Resolver,
): RouteConfig {
  return {
    paths,
    methods,
    action,
    strip,
    rewrites,
    headers: around.headers,
    requestHeaders: around.requestHeaders,
    errorPages: around.errorPages,
    compression: resolveCompression(around.compression),
    security: resolveSecurity(around.security, resolver),
    maxBodySize: around.maxBodySize,
  };
}

function resolveAction(written: WrittenAction, path: KeyPath, around: Around, resolver: Resolver): RouteAction {
  const { faults } = resolver;
  const given = ACTION_KEYS.filter((key) => written[key] !== undefined);
  if (given.length > 1) faults.add(path, `must have only one of ${ACTION_KEYS.join(', ')}, got ${given.join(' and ')}`);
  if (written.files !== undefined) return resolveFiles(written, written.files, path, around, resolver);
  if (written.proxy !== undefined) {
    return { kind: 'proxy', backend: around.backendOf(written.proxy, [...path, 'proxy']) };
  }
  if (written.redirect !== undefined) return resolveRedirect(written.redirect, written.status ?? 301, path, resolver);
  if (written.serve !== undefined) return { kind: 'internal', page: written.serve };
  if (written.respond === undefined && written.status === undefined) {
    faults.add(path, `must have one of ${ACTION_KEYS.join(', ')} and status, got none of them`);
  }
  const { status = 200, respond: text = '', content_type: type = 'text/plain; charset=utf-8' } = written;
  if (text !== '' && mustBeEmpty(status)) {
    faults.add([...path, 'respond'], `must be empty with status ${status}, which has no content (RFC 9110 §15)`);
  }
  return { kind: 'respond', status, type, text };
}

function resolveRedirect(to: string, status: number, path: KeyPath, resolver: Resolver): RedirectAction {
  if (!REDIRECT_STATUSES.includes(status)) {
    resolver.faults.mustBe([...path, 'status'], 'one of 301, 302, 303, 307 and 308 with redirect', status);
  }
  for (const [variable] of to.matchAll(/\{[^}]*\}/g)) {
    const name = variable.slice(1, -1);
    if (REDIRECT_VARIABLES.some((known) => known === name)) continue;
    const meant = nearest(name, REDIRECT_VARIABLES);
    const hint = meant === undefined ? '' : `; did you mean {${meant}}?`;
    const known = REDIRECT_VARIABLES.map((one) => `{${one}}`).join(', ');
    resolver.faults.add([...path, 'redirect'], `must name none but ${known}, got ${variable}${hint}`);
  }
  if (!/^(https?:\/\/|\/|\{)/.test(to)) {
    resolver.faults.mustBe([...path, 'redirect'], 'a URL, or a path that starts with "/"', to);
  }
  return { kind: 'redirect', to, status: status as RedirectAction['status'] };
}

function resolveFiles(
  written: WrittenAction,
  root: string,
  path: KeyPath,
  { cache }: Around,
  resolver: Resolver,
): FilesAction {
  const { immutable, cache_control: rules } = written;
  const cacheControl: CacheRule[] = [];
  const paths = typeof immutable === 'string' ? [immutable] : immutable;
  if (paths.length > 0) cacheControl.push({ paths, value: IMMUTABLE });
  if (typeof rules === 'string') cacheControl.push({ paths: ['*'], value: rules });
  for (const rule of typeof rules === 'object' ? rules : []) {
    cacheControl.push({ paths: typeof rule.path === 'string' ? [rule.path] : rule.path, value: rule.value });
  }
  return {
    kind: 'files',
    root: resolver.folder([...path, 'files'], root),
    index: written.index,
    fallback: written.fallback ?? null,
    listing: written.listing,
    dotfiles: written.dotfiles,
    symlinks: written.symlinks,
    precompressed: written.precompressed,
    cacheControl,
    cacheSize: cache.enabled ? readSize(cache.max_size) : 0,
    cacheTtlMs: readSpan(cache.ttl),
  };
}

function resolveRewrites(
  written: WrittenAction,
  path: KeyPath,
  resolver: Resolver,
): Pick<RouteConfig, 'strip' | 'rewrites'> {
  const rewrites: RewriteConfig[] = [];
  const { strip_prefix: prefix } = written;
  if (prefix !== undefined && !/^\/[^?#]*[^/?#]$/.test(prefix)) {
    resolver.faults.mustBe([...path, 'strip_prefix'], 'a path that starts with "/" and does not end with it', prefix);
  }
  for (const [index, rewrite] of written.rewrite.entries()) {
    try {
      new RegExp(rewrite.match);
    } catch {
      resolver.faults.mustBe([...path, 'rewrite', index, 'match'], 'a regular expression', rewrite.match);
    }
    if (!rewrite.to.startsWith('/') && !rewrite.to.startsWith('$')) {
      resolver.faults.mustBe([...path, 'rewrite', index, 'to'], 'a path that starts with "/"', rewrite.to);
    }
    rewrites.push(rewrite);
  }
  return { strip: prefix ?? null, rewrites };
}

function resolveHeaders(written: WrittenHeaderRules, path: KeyPath, resolver: Resolver): HeaderRules {
  for (const kind of ['set', 'add'] as const) {
    for (const [name, value] of Object.entries(written[kind])) {
      try {
        checkField(name, value);
      } catch (error) {
        resolver.faults.add([...path, kind, name], `cannot be set: ${(error as Error).message}`);
      }
    }
  }
  return {
    set: Object.entries(written.set),
    add: Object.entries(written.add),
    remove: written.remove.map((name) => name.toLowerCase()),
  };
}

function joined(outer: HeaderRules, inner: HeaderRules): HeaderRules {
  const inside = new Set(inner.set.map(([name]) => name.toLowerCase()));
  return {
    set: [...outer.set.filter(([name]) => !inside.has(name.toLowerCase())), ...inner.set],
    add: [...outer.add, ...inner.add],
    remove: [...outer.remove, ...inner.remove],
  };
}

function resolveErrorPages(
  written: WrittenConfig['error_pages'],
  path: KeyPath,
  served: string | null,
  resolver: Resolver,
): ErrorPageConfig[] {
  const pages = Object.entries(written).map(([key, file]) => {
    const [from = '', to = from] = key.split('-');
    return {
      from: Number(from.replace('xx', '00')),
      to: Number(to.replace('xx', '99')),
      file: resolver.page([...path, key], file, served),
    };
  });
  // 404 before 4xx.
  return pages.sort((one, two) => one.to - one.from - (two.to - two.from));
}

function resolveCompression(written: WrittenConfig['compression']): CompressionConfig | null {
  if (written === false) return null;
  const table = written === true ? COMPRESSION_DEFAULTS : written;
  if (!table.enabled) return null;
  return {
    codings: table.codings,
    proxied: table.proxied,
    minSize: readSize(table.min_size),
    types: table.types.map((type) => type.toLowerCase()),
    cacheSize: readSize(table.cache_size),
  };
}
