/** `[[sites]]` of the file and their routes. */
import * as v from 'valibot';
import { SECURITY } from './schema-security.ts';
import {
  FIELD_NAME_TEXT,
  FIELD_VALUE_TEXT,
  oneOf,
  PATH,
  SWITCH,
  said,
  size,
  span,
  text,
  texts,
  whole,
} from './schema-values.ts';
import { CODINGS, INTERNAL_PAGES } from './web-config.ts';

const PATTERN_RULE = 'a path such as /exact, /prefix/*, *.suffix or *, without escapes: it is compared decoded';
const PATTERN = v.pipe(
  v.string(PATTERN_RULE),
  v.regex(/^(?!.*%[0-9A-Fa-f]{2})(\/[^*\s]*\*?|\*[^*\s]*)$/, PATTERN_RULE),
);
const PATTERNS = v.union([PATTERN, v.array(PATTERN)], `${PATTERN_RULE}, or a list of them`);

const FIELDS = v.record(FIELD_NAME_TEXT, FIELD_VALUE_TEXT, 'a table of header fields');

const HEADER_RULES = v.strictObject({
  set: v.optional(said('Replace what is there.', FIELDS), {}),
  add: v.optional(FIELDS, {}),
  remove: v.optional(v.array(FIELD_NAME_TEXT, 'a list of header fields'), []),
});
export type WrittenHeaderRules = v.InferOutput<typeof HEADER_RULES>;

const ERROR_KEY_RULE = 'a status such as 404, a class such as 5xx or a range such as 500-504';
export const ERROR_PAGES = v.record(
  v.pipe(v.string(ERROR_KEY_RULE), v.regex(/^[45](\d\d(-[45]\d\d)?|xx)$/, ERROR_KEY_RULE)),
  PATH,
  'a table of files by status',
);

export const COMPRESSION = v.strictObject({
  enabled: v.optional(SWITCH, true),
  codings: v.optional(v.array(oneOf(CODINGS), 'a list of codings'), [...CODINGS]),
  proxied: v.optional(said('Answers of upstreams too; mind BREACH.', SWITCH), false),
  min_size: v.optional(size(), 1024),
  types: v.optional(said('Media types such as text/*; none: those that shrink.', texts('a media type')), []),
  cache_size: v.optional(said('Of compressed answers in memory, per worker.', size()), '16MiB'),
});
export type WrittenCompression = v.InferOutput<typeof COMPRESSION>;

const REWRITE = v.strictObject({
  match: text('a regular expression'),
  to: text('a path with $1 to $9 for the groups of the expression'),
});

const CACHE_RULES = v.union(
  [
    FIELD_VALUE_TEXT,
    v.array(v.strictObject({ path: PATTERNS, value: FIELD_VALUE_TEXT }), 'a list of { path = "…", value = "…" }'),
  ],
  'a value of Cache-Control, or a list of { path = "…", value = "…" }',
);

/** What a route does; a site has these too, for all that its routes leave over. */
const ACTION_ENTRIES = {
  files: v.optional(said('Serves the files of a directory.', PATH)),
  index: v.optional(v.string('the name of a file, or ""'), 'index.html'),
  fallback: v.optional(said('For single-page applications: the file served when no other matches.', PATH)),
  listing: v.optional(said('Lists directories without an index.', SWITCH), false),
  dotfiles: v.optional(SWITCH, false),
  symlinks: v.optional(said('Follows symbolic links out of the directory.', SWITCH), false),
  precompressed: v.optional(said('Uses .br, .zst and .gz files beside a file.', SWITCH), true),
  immutable: v.optional(said('Paths whose content never changes.', PATTERNS), []),
  cache_control: v.optional(CACHE_RULES),
  proxy: v.optional(
    said(
      'The name of a backend, or URLs of upstreams.',
      v.union([text(), texts('a URL')], 'the name of a backend, a URL or a list of URLs'),
    ),
  ),
  redirect: v.optional(
    said(
      'Where to; {scheme}, {host} (without the port), {hostport}, {path}, {uri} … are those of the request.',
      text(),
    ),
  ),
  respond: v.optional(said('The content of a fixed answer.', v.string('text'))),
  status: v.optional(said('Of a redirect (301) or a fixed answer (200).', whole(200, 599))),
  content_type: v.optional(text('a media type')),
  serve: v.optional(said('A page of the server itself.', oneOf(INTERNAL_PAGES))),
  strip_prefix: v.optional(text('a path that starts with "/"')),
  rewrite: v.optional(v.array(REWRITE, 'a list of { match = "…", to = "…" }'), []),
  headers: v.optional(said('Of answers.', HEADER_RULES), {}),
  request_headers: v.optional(said('Of requests that are proxied.', HEADER_RULES), {}),
  error_pages: v.optional(ERROR_PAGES, {}),
  compression: v.optional(v.union([SWITCH, COMPRESSION], 'true, false or a table')),
  security: v.optional(SECURITY, {}),
  max_request_size: v.optional(size()),
};

export const ROUTE = v.strictObject({
  path: v.optional(PATTERNS, '*'),
  methods: v.optional(texts('a method'), []),
  ...ACTION_ENTRIES,
});
export type WrittenRoute = v.InferOutput<typeof ROUTE>;

const MAINTENANCE = v.strictObject({
  enabled: v.optional(SWITCH, true),
  switch_file: v.optional(said('On while this file exists.', PATH)),
  page: v.optional(said('File sent with the 503.', PATH)),
  retry_after: v.optional(span(0), '10m'),
  allow: v.optional(said('Who is served as usual.', texts('an address or a network')), []),
});

export const SITE = v.strictObject({
  hosts: v.optional(said('*.example.com stands for any name below it; none: any host.', texts('a host name')), []),
  default: v.optional(said('Answers for hosts that no site has; otherwise they get 421.', SWITCH), false),
  listeners: v.optional(said('Names of listeners (default: all).', texts('the name of a listener')), []),
  redirect_https: v.optional(SWITCH, false),
  www: v.optional(said('Redirects to the name with or without www.', oneOf(['add', 'remove']))),
  maintenance: v.optional(v.union([SWITCH, MAINTENANCE], 'true, false or a table'), false),
  routes: v.optional(said('The first whose path and method match answers.', v.array(ROUTE, 'tables')), []),
  ...ACTION_ENTRIES,
});
export type WrittenSite = v.InferOutput<typeof SITE>;
