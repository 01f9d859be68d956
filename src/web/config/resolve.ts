/** From what the file says, defaults included, to what the server does. Faults of meaning are collected on the way. */

import { parse } from 'valibot';
import { isIPv4, isIPv6 } from '../../rules/rules.ts';
import type { CertificateFiles } from '../../tls/managed.ts';
import type { Resolver } from './context.ts';
import type { LoggingConfig } from './log-config.ts';
import { metricsListener, metricsSite } from './metrics-site.ts';
import { checkNetworkList } from './resolve-security.ts';
import { resolveSites } from './resolve-sites.ts';
import { ACME, type WrittenConfig } from './schema.ts';
import { readSize, readSpan } from './schema-values.ts';
import type { AutomaticCertificates, TlsConfig } from './tls-config.ts';
import type { ListenerConfig, MetricsConfig, ServerConfig, WebConfig } from './web-config.ts';

const ACME_DEFAULTS = parse(ACME, {});
const DEFAULT_HTTPS_PORT = 8443;
const DEFAULT_MAX_CONNECTIONS = 65_536;
const DEFAULT_ROTATION_SIZE = 100e6;
/** Method, version and spaces around a request target. */
const AROUND_TARGET = 64;

export function resolveConfig(written: WrittenConfig, resolver: Resolver): WebConfig {
  const listeners = resolveListeners(written, resolver);
  const { sites, backends } = resolveSites(written, listeners, resolver);
  const hasMetricsRoute = sites.some(({ routes }) =>
    routes.some(({ action }) => action.kind === 'internal' && (action.page === 'metrics' || action.page === 'status')),
  );
  const metrics = resolveMetrics(written, hasMetricsRoute, resolver);
  const isSecure = listeners.some(({ isTls }) => isTls);
  if (written.ssl.http3 && !isSecure) resolver.faults.add(['ssl', 'http3'], 'must come with a listener that has TLS');
  const ownListener = metrics?.address == null ? [] : [metricsListener(metrics.address, metrics.port)];
  return {
    server: resolveServer(written, resolver),
    listeners: [...listeners, ...ownListener],
    tls: isSecure ? resolveTls(written, resolver) : null,
    logging: resolveLogging(written, resolver),
    backends,
    sites: ownListener.length === 0 ? sites : [...sites, metricsSite()],
    metrics,
  };
}

function resolveServer({ server }: WrittenConfig, resolver: Resolver): ServerConfig {
  const { limits } = server;
  checkNetworkList(['server', 'trusted_proxies'], server.trusted_proxies, resolver);
  return {
    workers: server.workers,
    limits: {
      maxConnections: server.max_connections ?? DEFAULT_MAX_CONNECTIONS,
      maxRequests: limits.max_requests || Number.POSITIVE_INFINITY,
      maxRequestLine: readSize(limits.max_uri_length) + AROUND_TARGET,
      maxHeaderSize: readSize(limits.max_header_size),
      maxHeaderCount: limits.max_header_count,
      maxBodySize: readSize(limits.max_request_size),
      maxDropped: Number.POSITIVE_INFINITY,
      idleTimeoutMs: readSpan(server.keepalive_timeout),
      headerTimeoutMs: readSpan(limits.header_timeout),
      bodyTimeoutMs: readSpan(limits.body_timeout),
      requestTimeoutMs: readSpan(server.request_timeout),
      sendTimeoutMs: readSpan(limits.send_timeout),
      handlerTimeoutMs: Number.POSITIVE_INFINITY,
    },
    isMaxConnectionsSet: server.max_connections !== undefined,
    drainDelayMs: readSpan(server.drain_delay),
    drainTimeoutMs: readSpan(server.drain_timeout),
    pidFile: resolver.optionalPath(server.pid_file),
    trustedProxies: server.trusted_proxies,
    maxUriLength: readSize(limits.max_uri_length),
  };
}

function resolveListeners(written: WrittenConfig, resolver: Resolver): ListenerConfig[] {
  const { server, ssl, listeners } = written;
  if (listeners.length > 0) return resolveOwnListeners(written, resolver);
  const hasCertificate = ssl.auto_cert || ssl.cert !== undefined || ssl.certificates.length > 0;
  const isHttps = server.enable_https ?? (server.https_port !== undefined || hasCertificate);
  const httpsPort = server.https_port ?? DEFAULT_HTTPS_PORT;
  const address = addressOf(server.host, ['server', 'host'], resolver);
  const made: ListenerConfig[] = [];
  if (server.redirect_https && !isHttps) {
    resolver.faults.add(['server', 'redirect_https'], 'must come with enable_https = true');
  }
  if (server.enable_http) {
    const redirectsToPort = server.redirect_https ? httpsPort : null;
    made.push({ name: 'http', address, port: server.http_port, unixPath: null, isTls: false, redirectsToPort });
  }
  if (isHttps) {
    made.push({ name: 'https', address, port: httpsPort, unixPath: null, isTls: true, redirectsToPort: null });
  }
  if (made.length === 0) resolver.faults.add(['server'], 'must have one of enable_http and enable_https, got neither');
  if (made.length === 2 && made[0]?.port === httpsPort && httpsPort !== 0) {
    resolver.faults.mustBe(['server', 'https_port'], 'another port than http_port', httpsPort);
  }
  return made;
}

function resolveOwnListeners({ listeners }: WrittenConfig, resolver: Resolver): ListenerConfig[] {
  const { faults } = resolver;
  const tlsPort = listeners.find(({ tls }) => tls)?.port;
  const names = new Set<string>();
  return listeners.map((listener, index) => {
    const path = ['listeners', index] as const;
    const { port, unix, tls } = listener;
    if ((port === undefined) === (unix === undefined)) faults.add(path, 'must have either port or unix');
    if (unix !== undefined && listener.address !== undefined) faults.add(path, 'must not have both address and unix');
    if (unix !== undefined && Buffer.byteLength(unix) > 107)
      faults.mustBe([...path, 'unix'], 'of at most 107 bytes', unix);
    const name = listener.name ?? (unix === undefined ? `${listener.address ?? '*'}:${port}` : `unix:${unix}`);
    if (names.has(name)) faults.add(path, `must have a name of its own, got ${JSON.stringify(name)} again`);
    names.add(name);
    if (listener.redirect_https && tlsPort === undefined) {
      faults.add([...path, 'redirect_https'], 'must come with a listener that has tls = true and a port');
    }
    return {
      name,
      address: addressOf(listener.address, [...path, 'address'], resolver),
      port: port ?? 0,
      unixPath: resolver.optionalPath(unix),
      isTls: tls,
      redirectsToPort: listener.redirect_https && !tls ? (tlsPort ?? null) : null,
    };
  });
}

function addressOf(written: string | undefined, path: readonly (string | number)[], resolver: Resolver): string | null {
  if (written === undefined || written === '*') return null;
  const address = written.replace(/^\[(.*)\]$/, '$1');
  if (address === 'localhost') return '127.0.0.1';
  if (!isIPv4(address) && !isIPv6(address))
    resolver.faults.mustBe(path, 'an IPv4 or IPv6 address, or localhost', written);
  return address;
}

function resolveTls({ ssl, cloudflare }: WrittenConfig, resolver: Resolver): TlsConfig {
  const { faults } = resolver;
  const certificates: CertificateFiles[] = [];
  if ((ssl.cert === undefined) !== (ssl.key === undefined)) faults.add(['ssl'], 'must have both cert and key, got one');
  if (ssl.cert !== undefined && ssl.key !== undefined) {
    certificates.push(resolver.certificate(['ssl'], { cert: ssl.cert, key: ssl.key }, []));
  }
  for (const [index, written] of ssl.certificates.entries()) {
    const hosts = written.hosts.map((one) => one.toLowerCase());
    certificates.push(resolver.certificate(['ssl', 'certificates', index], written, hosts));
  }
  if (ssl.auto_cert && ssl.domains.length === 0) {
    faults.add(['ssl', 'auto_cert'], 'must come with domains, the names to get certificates for');
  }
  return {
    certificates,
    automatic: ssl.auto_cert ? resolveAutomatic(ssl, cloudflare, resolver) : null,
    domains: ssl.domains.map((domain) => domain.toLowerCase()),
    selfSigned: ssl.self_signed,
    directory: resolver.path(ssl.directory),
    minVersion: ssl.min_version === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
    ciphers: ssl.ciphers ?? null,
    http2: ssl.http2,
    http3: ssl.http3,
    ticketRotationMs: readSpan(ssl.ticket_rotation),
    hsts: hstsOf(ssl),
  };
}

/** RFC 6797 §6.1. */
function hstsOf({ hsts, hsts_subdomains: hasSubdomains }: WrittenConfig['ssl']): string | null {
  const seconds = Math.round(readSpan(hsts) / 1000);
  return seconds === 0 ? null : `max-age=${seconds}${hasSubdomains ? '; includeSubDomains' : ''}`;
}

function resolveAutomatic(
  ssl: WrittenConfig['ssl'],
  cloudflare: WrittenConfig['cloudflare'],
  resolver: Resolver,
): AutomaticCertificates | null {
  if (cloudflare !== undefined && ssl.acme === undefined) {
    return {
      kind: 'cloudflare',
      apiToken: resolver.secret(['cloudflare', 'api_token'], cloudflare.api_token),
      zoneId: cloudflare.zone_id ?? null,
      apiUrl: cloudflare.api_url.replace(/\/+$/, ''),
      validityDays: cloudflare.validity_days,
      renewBeforeMs: readSpan(cloudflare.renew_before),
    };
  }
  const { acme = ACME_DEFAULTS } = ssl;
  const isWildcard = ssl.domains.some((domain) => domain.startsWith('*.'));
  if (isWildcard && acme.challenge !== 'dns-01') {
    // RFC 8555 §7.1.3 leaves it to the CA; all public ones ask for it.
    resolver.faults.add(['ssl', 'domains'], 'must have no wildcard unless ssl.acme.challenge is dns-01');
  }
  if (acme.challenge === 'dns-01' && acme.dns_hook === undefined) {
    resolver.faults.add(['ssl', 'acme', 'challenge'], 'dns-01 must come with dns_hook');
  }
  return {
    kind: 'acme',
    directoryUrl: acme.directory,
    email: acme.email ?? null,
    challenge: acme.challenge,
    dnsHook: resolver.optionalPath(acme.dns_hook),
    caFile: acme.ca === undefined ? null : resolver.file(['ssl', 'acme', 'ca'], acme.ca),
    renewBeforeMs: readSpan(acme.renew_before),
  };
}

function resolveLogging({ logging }: WrittenConfig, resolver: Resolver): LoggingConfig {
  const { access_log: access, error_log: error, rotation } = logging;
  if (rotation?.max_size !== undefined && rotation.max_size_mb !== undefined) {
    resolver.faults.add(['logging', 'rotation', 'max_size_mb'], 'must not be given together with max_size');
  }
  return {
    access:
      access?.enabled === true
        ? {
            path: access.path === 'stdout' ? null : resolver.path(access.path),
            format: access.format,
            bufferLines: access.buffer_size,
            flushMs: readSpan(access.flush_interval),
            excludes: access.exclude,
          }
        : null,
    errorPath: error === undefined ? null : resolver.path(error.path),
    rotation:
      rotation?.enabled === true
        ? {
            maxSize:
              rotation.max_size === undefined
                ? (rotation.max_size_mb ?? DEFAULT_ROTATION_SIZE / 1e6) * 1e6
                : readSize(rotation.max_size),
            every: rotation.every ?? null,
            maxBackups: rotation.max_backups,
            maxAgeMs: readSpan(rotation.max_age) || Number.POSITIVE_INFINITY,
            compress: rotation.compress === true ? 'gzip' : rotation.compress || null,
          }
        : null,
  };
}

function resolveMetrics({ metrics }: WrittenConfig, hasRoute: boolean, resolver: Resolver): MetricsConfig | null {
  if (metrics?.enabled !== true) return hasRoute ? { address: null, port: 0 } : null;
  if (metrics.listen === 'off') return { address: null, port: 0 };
  const [, host = '', port = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(metrics.listen) ?? [];
  if (port === '' || Number(port) > 65_535) {
    resolver.faults.mustBe(['metrics', 'listen'], 'address:port, a port, or "off"', metrics.listen);
  }
  const address = addressOf(host === '' ? '127.0.0.1' : host, ['metrics', 'listen'], resolver);
  return { address: address ?? '::', port: Number(port) };
}
