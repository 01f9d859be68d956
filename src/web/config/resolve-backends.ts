/** From `[backends.<name>]` to backends. */
import type { HealthSettings, StickySettings, UpstreamSettings } from '../../proxy/settings.ts';
import type { BackendConfig, ProcessConfig } from './backend-config.ts';
import type { Resolver } from './context.ts';
import type { KeyPath } from './fault.ts';
import { resolveScripts } from './resolve-scripts.ts';
import type { WrittenConfig } from './schema.ts';
import type { WrittenBackend, WrittenProcess, WrittenUpstream } from './schema-backends.ts';
import { readSpan } from './schema-values.ts';
import type { Secret } from './secret.ts';

const DEFAULT_PORTS = { http: 80, https: 443, fastcgi: 9000 } as const;

export function resolveBackend(
  name: string,
  written: WrittenBackend,
  path: KeyPath,
  cache: WrittenConfig['cache'],
  resolver: Resolver,
): BackendConfig {
  const isFastCgi = speaksFastCgi(written);
  const given = resolveUpstreams(written, isFastCgi, path, resolver);
  const process =
    written.process === undefined ? null : resolveProcess(written.process, given[0], [...path, 'process'], resolver);
  const upstreams = process === null ? given : withInstances(given, process, isFastCgi ? 'fastcgi' : 'http');
  const scripts = resolveScripts(written, path, cache, resolver);
  if (written.url === undefined && (written.urls ?? []).length === 0 && process === null) {
    resolver.faults.add(path, 'must have url, urls or process, got none of them');
  }
  return {
    name,
    appType: written.app_type,
    upstreams,
    strategy: written.strategy,
    sticky: resolveSticky(written.sticky),
    health: resolveHealth(written, path, resolver),
    passive: {
      maxFails: written.max_fails,
      windowMs: readSpan(written.fail_window),
      backOffMs: readSpan(written.fail_delay),
      maxBackOffMs: readSpan(written.max_fail_delay),
    },
    timeouts: {
      connectMs: readSpan(written.connect_timeout),
      firstByteMs: readSpan(written.response_timeout),
      idleMs: readSpan(written.idle_timeout),
      keepAliveMs: readSpan(written.keepalive_timeout),
    },
    retries: written.retries,
    maxIdle: written.max_idle,
    maxActive: written.max_active || Number.POSITIVE_INFINITY,
    host: written.host === 'client' || written.host === 'upstream' ? { from: written.host } : { fixed: written.host },
    tls: {
      verifies: written.tls_verify,
      caFile: written.tls_ca === undefined ? null : resolver.file([...path, 'tls_ca'], written.tls_ca),
      serverName: written.tls_server_name ?? null,
    },
    forwarded: written.forwarded,
    fastCgi: isFastCgi
      ? { documentRoot: scripts?.documentRoot ?? '', keepsConnections: written.fastcgi_keep_connections }
      : null,
    process,
    scripts,
  };
}

function speaksFastCgi({ app_type, url, urls = [] }: WrittenBackend): boolean {
  if (app_type === 'php' || app_type === 'fastcgi') return true;
  return [url, ...urls].some((one) => /^fastcgi:/i.test((typeof one === 'object' ? one.url : one) ?? ''));
}

function resolveUpstreams(
  written: WrittenBackend,
  isFastCgi: boolean,
  path: KeyPath,
  resolver: Resolver,
): UpstreamSettings[] {
  if (written.url !== undefined && written.urls !== undefined) {
    resolver.faults.add([...path, 'urls'], 'must not be given together with url');
  }
  const list: (readonly [WrittenUpstream, KeyPath])[] = (written.urls ?? []).map((one, index) => [
    one,
    [...path, 'urls', index],
  ]);
  if (written.url !== undefined) list.unshift([written.url, [...path, 'url']]);
  return list.flatMap(([one, key]) => resolveUpstream(one, isFastCgi, key, resolver) ?? []);
}

const URL_RULE = 'a URL such as http://localhost:3000, https://host or unix:/path/of.sock';
const FASTCGI_RULE = 'a URL such as fastcgi://localhost:9000 or unix:/run/php/php-fpm.sock, without a path';

function resolveUpstream(
  written: WrittenUpstream,
  isFastCgi: boolean,
  path: KeyPath,
  resolver: Resolver,
): UpstreamSettings | null {
  const {
    url: typed,
    weight,
    backup,
  } = typeof written === 'string' ? { url: written, weight: 1, backup: false } : written;
  const shares = { weight, isBackup: backup };
  const [, socket] = /^unix:(\/.+)$/.exec(typed) ?? [];
  if (socket !== undefined) {
    const protocol = isFastCgi ? 'fastcgi' : 'http';
    return { url: typed, protocol, host: '', port: 0, unixPath: socket, basePath: '', ...shares };
  }
  const full = /^[a-z]+:\/\//i.test(typed) ? typed : `${isFastCgi ? 'fastcgi' : 'http'}://${typed}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  const protocol = /^(https?|fastcgi):/i.exec(full)?.[1]?.toLowerCase() as UpstreamSettings['protocol'] | undefined;
  if (url === null || protocol === undefined || url.username !== '' || url.search !== '' || url.hash !== '') {
    resolver.faults.mustBe(path, `${URL_RULE}, without user, query or fragment`, typed);
    return null;
  }
  if (isFastCgi && (protocol !== 'fastcgi' || !/^\/?$/.test(url.pathname) || url.hostname === '')) {
    resolver.faults.mustBe(path, FASTCGI_RULE, typed);
    return null;
  }
  const port = /:(\d+)(\/|$)/.exec(full.replace(/^[a-z]+:\/\//i, ''))?.[1];
  if (port !== undefined && Number(port) === 0) {
    resolver.faults.mustBe(path, 'a URL with a port from 1 to 65535', typed);
    return null;
  }
  return {
    url: typed,
    protocol,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: port === undefined ? DEFAULT_PORTS[protocol] : Number(port),
    unixPath: null,
    basePath: url.pathname.replace(/\/+$/, ''),
    ...shares,
  };
}

/** Each copy of a process has the next port, and is an upstream. */
function withInstances(
  given: readonly UpstreamSettings[],
  { port, instances }: ProcessConfig,
  protocol: UpstreamSettings['protocol'],
): readonly UpstreamSettings[] {
  if (given.length > 1 || given[0]?.unixPath != null) return given;
  const shared = {
    protocol,
    host: '127.0.0.1',
    unixPath: null,
    basePath: '',
    weight: 1,
    isBackup: false,
  } as const;
  return Array.from({ length: instances }, (_, index) => {
    const own = port + index;
    const [first] = given;
    if (first !== undefined && index === 0) return first;
    return {
      ...(first ?? shared),
      port: own,
      url: `${first?.protocol ?? protocol}://${first?.host ?? shared.host}:${own}`,
    };
  });
}

function resolveSticky(written: WrittenBackend['sticky']): StickySettings | null {
  if (written === false) return null;
  if (written === true) return { cookie: 'vrypt_upstream', maxAgeS: 0, isSecure: false };
  return { cookie: written.cookie, maxAgeS: Math.round(readSpan(written.max_age) / 1000), isSecure: written.secure };
}

function resolveHealth(written: WrittenBackend, path: KeyPath, resolver: Resolver): HealthSettings | null {
  if (written.health_check === undefined) return null;
  if (!/^\/[\x21-\x7e]*$/.test(written.health_check)) {
    resolver.faults.mustBe(
      [...path, 'health_check'],
      'a path that starts with "/", without spaces',
      written.health_check,
    );
  }
  const [from = '', to = from] = written.health_status.split('-');
  return {
    path: written.health_check,
    intervalMs: readSpan(written.health_interval),
    timeoutMs: readSpan(written.health_timeout),
    rise: written.health_rise,
    fall: written.health_fall,
    expected: { from: Number(from), to: Number(to) },
    host: written.health_host ?? null,
  };
}

function resolveProcess(
  written: WrittenProcess,
  upstream: UpstreamSettings | undefined,
  path: KeyPath,
  resolver: Resolver,
): ProcessConfig {
  const env: Record<string, string | Secret> = {};
  for (const [name, value] of Object.entries(written.env)) {
    env[name] = typeof value === 'string' ? value : resolver.secret([...path, 'env', name], value);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      resolver.faults.add([...path, 'env', name], 'must be a variable of letters, digits and "_"');
    }
  }
  const { PORT: port } = env;
  const unixPath = upstream?.unixPath ?? null;
  const own = written.port ?? (upstream?.port || undefined) ?? (typeof port === 'string' ? Number(port) : undefined);
  if (own === undefined && unixPath === null)
    resolver.faults.add(path, 'must have port, or the backend a url with a port, got neither');
  if (unixPath !== null && written.instances > 1) {
    resolver.faults.add([...path, 'instances'], 'must be 1 with a Unix socket: copies cannot share it');
  }
  if (typeof port === 'string' && !/^[1-9]\d{0,4}$/.test(port)) {
    resolver.faults.mustBe([...path, 'env', 'PORT'], 'a port from 1 to 65535', port);
  }
  return {
    command: written.command.includes('/') ? resolver.path(written.command) : written.command,
    args: written.args,
    workingDir: resolver.optionalPath(written.working_dir),
    env,
    passEnv: written.pass_env,
    user: written.user ?? null,
    group: written.group ?? null,
    instances: written.instances,
    port: own ?? 0,
    unixPath,
    autoRestart: written.auto_restart,
    maxRestarts: written.max_restarts || Number.POSITIVE_INFINITY,
    restartWindowMs: readSpan(written.restart_window),
    backOffMs: readSpan(written.restart_delay),
    maxBackOffMs: readSpan(written.max_restart_delay),
    startTimeoutMs: readSpan(written.start_timeout),
    stopTimeoutMs: readSpan(written.stop_timeout),
    logPath: resolver.optionalPath(written.log),
  };
}
