/** The configuration file: its tables and keys, with their defaults. Values stay as they were written; `resolve.ts` reads them. */
import * as v from 'valibot';
import { LOG_FORMATS } from './log-config.ts';
import { BACKEND } from './schema-backends.ts';
import { SECURITY } from './schema-security.ts';
import { COMPRESSION, ERROR_PAGES, SITE } from './schema-sites.ts';
import { ANY_PORT, oneOf, PATH, SECRET, SWITCH, said, size, span, text, texts, whole } from './schema-values.ts';

const LIMITS = v.strictObject({
  max_request_size: v.optional(said('Largest content of a request (413).', size()), '1GiB'),
  max_header_size: v.optional(said('Largest header section (431).', size(64, 1024 ** 2)), '16KiB'),
  max_header_count: v.optional(said('Most fields in it (431).', whole(1, 10_000)), 100),
  max_uri_length: v.optional(said('Longest request target (414).', size(64, 1024 ** 2)), 8192),
  header_timeout: v.optional(said('For the head of a request (408).', span()), 10),
  body_timeout: v.optional(said('Without progress of its content (408).', span()), 30),
  send_timeout: v.optional(said('For a client that takes nothing.', span()), 30),
  max_requests: v.optional(said('On one connection; 0: any number.', whole(0, 2 ** 31)), 1_000_000),
});

const WORKERS_RULE = '"auto" or a whole number from 1 to 1024';

const SERVER = v.strictObject({
  host: v.optional(said('Address to listen on (default: every address).', text('an address'))),
  enable_http: v.optional(SWITCH, true),
  http_port: v.optional(ANY_PORT, 8080),
  enable_https: v.optional(said('Default: whether there is an https_port or a certificate.', SWITCH)),
  https_port: v.optional(said('Default: 8443.', ANY_PORT)),
  redirect_https: v.optional(said('The plain port answers with redirects only.', SWITCH), false),
  workers: v.optional(v.union([v.literal('auto'), whole(1, 1024, WORKERS_RULE)], WORKERS_RULE), 'auto'),
  max_connections: v.optional(said('At once, all workers together (503).', whole(1, 2 ** 24))),
  keepalive_timeout: v.optional(said('A connection without a request is closed after this.', span()), 75),
  request_timeout: v.optional(said('For a whole request (408).', span()), '5m'),
  drain_delay: v.optional(said('Keep accepting for this long after SIGTERM.', span(0)), 0),
  drain_timeout: v.optional(said('From then to the exit.', span()), 10),
  pid_file: v.optional(PATH),
  default_site: v.optional(said('Host of the site that answers for unknown hosts.', text('a host'))),
  trusted_proxies: v.optional(
    said('Whose X-Forwarded-For and -Proto are believed.', texts('an address or a network')),
    [],
  ),
  limits: v.optional(LIMITS, {}),
});

const LISTENER = v.strictObject({
  name: v.optional(text()),
  address: v.optional(said('Default: every address.', text('an address'))),
  port: v.optional(ANY_PORT),
  unix: v.optional(said('Instead of a port; served by one worker.', text('the path of a socket'))),
  tls: v.optional(SWITCH, false),
  redirect_https: v.optional(SWITCH, false),
});
export type WrittenListener = v.InferOutput<typeof LISTENER>;

const CERTIFICATE = v.strictObject({
  cert: PATH,
  key: PATH,
  hosts: v.optional(said('Default: the names in the certificate.', texts('a host name')), []),
});

export const ACME = v.strictObject({
  directory: v.optional(text('a URL'), 'https://acme-v02.api.letsencrypt.org/directory'),
  email: v.optional(text('an address of e-mail')),
  challenge: v.optional(oneOf(['http-01', 'tls-alpn-01', 'dns-01']), 'http-01'),
  dns_hook: v.optional(said('Called as: hook add|remove <name> <value>.', PATH)),
  ca: v.optional(said('PEM file of CAs for the ACME server itself.', PATH)),
  renew_before: v.optional(span(), '30d'),
});

const SSL = v.strictObject({
  auto_cert: v.optional(said('From Cloudflare if [cloudflare] is there, otherwise by ACME.', SWITCH), false),
  domains: v.optional(texts('a host name'), []),
  cert: v.optional(PATH),
  key: v.optional(PATH),
  certificates: v.optional(v.array(CERTIFICATE, 'tables'), []),
  self_signed: v.optional(said('Makes one when there is no other.', SWITCH), true),
  directory: v.optional(said('Where issued certificates are kept.', PATH), 'certificates'),
  min_version: v.optional(oneOf(['1.2', '1.3']), '1.2'),
  ciphers: v.optional(text()),
  http2: v.optional(SWITCH, true),
  http3: v.optional(said('Experimental: HTTP/3 too, on the UDP ports of the same numbers.', SWITCH), false),
  hsts: v.optional(said('Strict-Transport-Security for this long, on answers over TLS only; 0: none.', span(0)), 0),
  hsts_subdomains: v.optional(said('It is for all names below the host too.', SWITCH), false),
  ticket_rotation: v.optional(span(1000), '12h'),
  acme: v.optional(ACME),
});

const CLOUDFLARE = v.strictObject({
  api_token: SECRET,
  zone_id: v.optional(text()),
  api_url: v.optional(text('a URL'), 'https://api.cloudflare.com/client/v4'),
  validity_days: v.optional(
    v.picklist([7, 30, 90, 365, 730, 1095, 5475], 'one of 7, 30, 90, 365, 730, 1095, 5475'),
    365,
  ),
  renew_before: v.optional(span(), '30d'),
});

const LOGGING = v.strictObject({
  access_log: v.optional(
    v.strictObject({
      enabled: v.optional(SWITCH, true),
      path: v.optional(said('A file, or stdout.', PATH), 'stdout'),
      format: v.optional(oneOf(LOG_FORMATS), 'combined'),
      buffer_size: v.optional(said('Lines that wait at most before they are written.', whole(1, 1_000_000)), 100),
      flush_interval: v.optional(span(), '1s'),
      exclude: v.optional(said('Paths that are not logged.', texts('a path')), []),
    }),
  ),
  error_log: v.optional(
    said('What goes wrong while it serves; default: stderr.', v.strictObject({ path: PATH }, 'a table with path')),
  ),
  rotation: v.optional(
    v.strictObject({
      enabled: v.optional(SWITCH, true),
      max_size_mb: v.optional(said('In MB; the same as max_size.', whole(1, 1_000_000))),
      max_size: v.optional(said('Default: 100MB.', size(1024))),
      every: v.optional(oneOf(['hour', 'day'])),
      max_backups: v.optional(whole(0, 100_000), 10),
      max_age: v.optional(said('Older ones are removed; 0: never for their age.', span(0)), 0),
      compress: v.optional(v.union([SWITCH, oneOf(['gzip', 'zstd'])], 'true, false, "gzip" or "zstd"'), true),
    }),
  ),
});

export const CONFIG = v.strictObject({
  server: v.optional(SERVER, {}),
  listeners: v.optional(said('Instead of http_port and https_port.', v.array(LISTENER, 'tables')), []),
  ssl: v.optional(SSL, {}),
  cloudflare: v.optional(CLOUDFLARE),
  logging: v.optional(LOGGING, {}),
  cache: v.optional(
    v.strictObject({
      enabled: v.optional(said('Keeps small files in memory.', SWITCH), true),
      max_size: v.optional(said('In memory, all workers together.', size()), '128MiB'),
      ttl: v.optional(said('A file that nobody asked for in this long is dropped.', span()), 3600),
    }),
    {},
  ),
  compression: v.optional(v.union([SWITCH, COMPRESSION], 'true, false or a table'), {}),
  security: v.optional(SECURITY, {}),
  error_pages: v.optional(ERROR_PAGES, {}),
  metrics: v.optional(
    v.strictObject({
      enabled: v.optional(SWITCH, true),
      listen: v.optional(
        said('address:port of /metrics, /health, /ready and /status; "off": only where a route says so.', text()),
        '127.0.0.1:9180',
      ),
    }),
  ),
  backends: v.optional(v.record(v.string(), BACKEND, 'tables'), {}),
  sites: v.optional(v.array(SITE, 'tables'), []),
});
/** What a person writes. */
export type ConfigInput = v.InferInput<typeof CONFIG>;
/** The same with all defaults. */
export type WrittenConfig = v.InferOutput<typeof CONFIG>;
