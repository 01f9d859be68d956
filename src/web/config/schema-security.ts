/** `[security]` of the file, of a site and of a route; what is left out below the top is as above it. */
import * as v from 'valibot';
import {
  FIELD_NAME_TEXT,
  FIELD_VALUE_TEXT,
  PATH,
  SECRET,
  SWITCH,
  said,
  span,
  text,
  texts,
  whole,
} from './schema-values.ts';

const NETWORKS = texts('an address or a network such as 192.168.1.0/24');
const ORIGINS = texts('an origin such as https://example.com');

const RATE_LIMIT = v.union(
  [
    whole(0, 1_000_000_000),
    v.strictObject({
      requests: whole(1, 1_000_000_000),
      per: v.optional(span(), '1m'),
      burst: v.optional(said('Requests at once after a pause (default: requests).', whole(1, 1_000_000_000))),
      key: v.optional(said('address, or the name of a header field.', FIELD_NAME_TEXT), 'address'),
    }),
  ],
  'requests per minute (0: no limit), or { requests = 10, per = "1s" }',
);
export type WrittenRateLimit = v.InferOutput<typeof RATE_LIMIT>;

const BASIC_AUTH = v.strictObject({
  realm: v.optional(text(), 'restricted'),
  users: v.optional(
    said('Hashes by name: bcrypt ($2b$…) or scrypt ($scrypt$…).', v.record(v.string(), SECRET, 'a table of users')),
    {},
  ),
  users_file: v.optional(said('Lines of name:hash, as htpasswd -B writes them.', PATH)),
});

export const SECURITY = v.strictObject({
  rate_limit: v.optional(said('Requests per minute and client, or a table.', RATE_LIMIT)),
  ip_whitelist: v.optional(said('Nobody else is answered.', NETWORKS)),
  ip_blacklist: v.optional(said('Wins over ip_whitelist.', NETWORKS)),
  basic_auth: v.optional(v.union([v.literal(false), BASIC_AUTH], 'false or a table with users')),
  enable_cors: v.optional(SWITCH),
  cors_origins: v.optional(ORIGINS),
  cors_methods: v.optional(texts('a method')),
  cors_headers: v.optional(v.array(FIELD_NAME_TEXT, 'a list of header fields')),
  cors_expose: v.optional(v.array(FIELD_NAME_TEXT, 'a list of header fields')),
  cors_credentials: v.optional(SWITCH),
  cors_max_age: v.optional(span(0)),
  enable_csrf: v.optional(said('Refuses unsafe requests that other sites make (Fetch metadata and Origin).', SWITCH)),
  csrf_origins: v.optional(said('Other origins that may make them.', ORIGINS)),
  headers: v.optional(
    said(
      'Added to every answer that does not have them; x_frame_options is X-Frame-Options.',
      v.record(FIELD_NAME_TEXT, FIELD_VALUE_TEXT, 'a table of header fields'),
    ),
  ),
});
export type WrittenSecurity = v.InferOutput<typeof SECURITY>;
