/** `[backends.<name>]` of the file. */
import * as v from 'valibot';
import { STRATEGIES } from '../../proxy/settings.ts';
import { APP_TYPES } from './backend-config.ts';
import { oneOf, PATH, PORT, SECRET, SWITCH, said, span, text, texts, whole } from './schema-values.ts';

const UPSTREAM_URL = text(
  'a URL such as http://localhost:3000, https://host, unix:/path/of.sock or fastcgi://localhost:9000',
);

const UPSTREAM = v.union(
  [
    UPSTREAM_URL,
    v.strictObject({
      url: UPSTREAM_URL,
      weight: v.optional(said('Its share, relative to the others; 0 drains it.', whole(0, 1000)), 1),
      backup: v.optional(said('Used only while no other upstream is healthy.', SWITCH), false),
    }),
  ],
  'a URL, or { url = "…", weight = 1, backup = false }',
);
export type WrittenUpstream = v.InferOutput<typeof UPSTREAM>;

const STATUS_RANGE_RULE = 'a status such as 200, or a range such as 200-399';
export const STATUS_RANGE = v.pipe(v.string(STATUS_RANGE_RULE), v.regex(/^[1-5]\d\d(-[1-5]\d\d)?$/, STATUS_RANGE_RULE));

const STICKY = v.strictObject({
  cookie: v.optional(text('the name of a cookie'), 'vrypt_upstream'),
  max_age: v.optional(said('0: until the browser closes.', span(0)), 0),
  secure: v.optional(SWITCH, false),
});

const PROCESS = v.strictObject({
  command: said('A program, found in PATH unless it has a slash.', text('the name or path of a program')),
  args: v.optional(v.array(v.string('text'), 'a list of arguments'), []),
  working_dir: v.optional(PATH),
  env: v.optional(
    said(
      'Variables of the process; text, { env = "NAME" } or { file = "path" }.',
      v.record(v.string(), v.union([v.string(), SECRET], 'text, { env = "NAME" } or { file = "path" }')),
    ),
    {},
  ),
  pass_env: v.optional(said('Variables of the server that the process gets too.', texts('the name of a variable')), [
    'PATH',
    'HOME',
    'LANG',
  ]),
  user: v.optional(text('the name or number of a user')),
  group: v.optional(text('the name or number of a group')),
  instances: v.optional(said('Copies, each with a port of its own.', whole(1, 64)), 1),
  port: v.optional(said('Of the first copy, told by PORT (default: that of url).', PORT)),
  auto_restart: v.optional(SWITCH, true),
  max_restarts: v.optional(said('Within restart_window; 0: any number.', whole(0, 1_000_000)), 10),
  restart_window: v.optional(span(), '10m'),
  restart_delay: v.optional(said('Before the first restart; doubles up to max_restart_delay.', span()), '500ms'),
  max_restart_delay: v.optional(span(), '30s'),
  start_timeout: v.optional(said('Until it is healthy, or accepts connections.', span()), '30s'),
  stop_timeout: v.optional(said('From SIGTERM to SIGKILL.', span(0)), '10s'),
  log: v.optional(said('What it prints (default: stderr of the server).', PATH)),
});
export type WrittenProcess = v.InferOutput<typeof PROCESS>;

export const BACKEND = v.strictObject({
  url: v.optional(said('The upstream, if there is one only.', UPSTREAM_URL)),
  urls: v.optional(said('Several upstreams.', v.array(UPSTREAM, 'a list of URLs'))),
  app_type: v.optional(oneOf(APP_TYPES), 'proxy'),
  strategy: v.optional(oneOf(STRATEGIES), 'round_robin'),
  sticky: v.optional(
    said('A cookie keeps a client with its upstream.', v.union([SWITCH, STICKY], 'true, false or a table')),
    false,
  ),
  host: v.optional(said('What the upstream gets as Host: client, upstream, or a fixed value.', text()), 'client'),
  forwarded: v.optional(
    said('x: X-Forwarded-For, -Host and -Proto; both: Forwarded (RFC 7239) too.', oneOf(['x', 'both', 'none'])),
    'x',
  ),
  health_check: v.optional(said('Path that is asked for.', text('a path that starts with "/"'))),
  health_interval: v.optional(span(100), 10),
  health_timeout: v.optional(span(), 5),
  health_rise: v.optional(said('Good answers in a row until an upstream is healthy.', whole(1, 1000)), 2),
  health_fall: v.optional(said('Failures in a row until it is not.', whole(1, 1000)), 3),
  health_status: v.optional(STATUS_RANGE, '200-399'),
  health_host: v.optional(text('a host')),
  max_fails: v.optional(
    said('Failures within fail_window that take an upstream out; 0: never.', whole(0, 1_000_000)),
    5,
  ),
  fail_window: v.optional(span(), '10s'),
  fail_delay: v.optional(said('Out for this long at first; doubles up to max_fail_delay.', span()), '2s'),
  max_fail_delay: v.optional(span(), '1m'),
  retries: v.optional(said('Of requests that are safe to repeat.', whole(0, 100)), 1),
  connect_timeout: v.optional(span(), '5s'),
  response_timeout: v.optional(said('From the end of the request to the first byte of the answer.', span()), '60s'),
  idle_timeout: v.optional(said('Without progress of content, or of a WebSocket.', span()), '2m'),
  keepalive_timeout: v.optional(said('An idle connection to an upstream is kept for this long.', span(0)), '60s'),
  max_idle: v.optional(said('Idle connections kept to an upstream, per worker.', whole(0, 100_000)), 64),
  max_active: v.optional(said('Requests at once to an upstream, per worker; 0: any number.', whole(0, 1_000_000)), 0),
  tls_verify: v.optional(SWITCH, true),
  tls_ca: v.optional(said('PEM file of the CAs that upstreams are verified by.', PATH)),
  tls_server_name: v.optional(text('a host name')),
  process: v.optional(PROCESS),
  root: v.optional(said('With app_type = "php": the folder of its programs and files.', PATH)),
  script_root: v.optional(said('The same folder as PHP sees it, if that is elsewhere.', text('an absolute path'))),
  front_controller: v.optional(
    said('The program in root that answers what is no file; "": none does.', v.string('the name of a file')),
    'index.php',
  ),
  no_scripts: v.optional(said('Paths below which nothing is run, such as "/uploads/*".', texts('a path')), []),
  symlinks: v.optional(said('Follow links that lead out of root.', SWITCH), false),
  fastcgi_keep_connections: v.optional(
    said('Keep connections for further requests; each keeps a process of PHP-FPM busy.', SWITCH),
    false,
  ),
});
export type WrittenBackend = v.InferOutput<typeof BACKEND>;
