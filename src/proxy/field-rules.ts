/** Which fields of a head a proxy does not simply copy: found by the bytes of their names, without making text. */

/** What is done with a field; 0: it is copied. */
export const Rule = {
  copy: 0,
  drop: 1,
  connection: 2,
  upgrade: 3,
  expect: 4,
  te: 5,
  host: 6,
  forwardedFor: 7,
  forwarded: 8,
  date: 9,
  keepAlive: 10,
  /** Copied if whoever is connected is trusted. */
  ofProxies: 11,
} as const;
export type RuleValue = (typeof Rule)[keyof typeof Rule];

interface Named {
  readonly name: string;
  readonly rule: RuleValue;
}

const UNDERSCORE = 0x5f;
const HYPHEN = 0x2d;

export class FieldRules {
  /** By the length of the name: most lengths have none. */
  readonly #byLength: (Named[] | undefined)[] = [];

  /** Names in lower case. */
  constructor(rules: Readonly<Record<string, RuleValue>>) {
    for (const [name, rule] of Object.entries(rules)) {
      const named = this.#byLength[name.length] ?? [];
      this.#byLength[name.length] = named;
      named.push({ name, rule });
    }
    // Without holes: lookups of them are slower.
    for (let length = 0; length < this.#byLength.length; length++) this.#byLength[length] ??= undefined;
  }

  /** The rule for the field whose name is bytes[start, end). */
  of(bytes: Uint8Array, start: number, end: number): RuleValue {
    const length = end - start;
    const named = length < this.#byLength.length ? this.#byLength[length] : undefined;
    if (named === undefined) return Rule.copy;
    for (let i = 0; i < named.length; i++) {
      const { name, rule } = named[i] as Named;
      if (isNamed(bytes, start, name)) return rule;
    }
    return Rule.copy;
  }
}

/**
 * Whether bytes[start…] spell `name`, ignoring case. "_" counts as "-": CGI and its heirs read X_Forwarded_For as
 * X-Forwarded-For (RFC 3875 §4.1.18), so a client could say what only the proxy may.
 */
export function isNamed(bytes: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    let byte = bytes[start + i] as number;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    else if (byte === UNDERSCORE) byte = HYPHEN;
    if (byte !== name.charCodeAt(i)) return false;
  }
  return true;
}

/**
 * Fields that belong to one connection, or that frame a message and are written anew (RFC 9110 §7.6.1, RFC 9112 §6), and what the
 * proxy alone may say. `Proxy` would become HTTP_PROXY in CGI programs.
 */
const HOP_BY_HOP = {
  connection: Rule.connection,
  'keep-alive': Rule.keepAlive,
  'proxy-connection': Rule.drop,
  'transfer-encoding': Rule.drop,
  'content-length': Rule.drop,
  upgrade: Rule.upgrade,
  'proxy-authenticate': Rule.drop,
  'proxy-authorization': Rule.drop,
} as const;

export const RESPONSE_RULES = new FieldRules({ ...HOP_BY_HOP, date: Rule.date });

export function requestRules(saysForwarded: boolean, saysRequestId: boolean): FieldRules {
  return new FieldRules({
    ...HOP_BY_HOP,
    te: Rule.te,
    expect: Rule.expect,
    'http2-settings': Rule.drop,
    proxy: Rule.drop,
    host: Rule.host,
    ...(saysRequestId ? { 'x-request-id': Rule.drop } : {}),
    ...(saysForwarded
      ? {
          'x-forwarded-for': Rule.forwardedFor,
          'x-forwarded-host': Rule.drop,
          'x-forwarded-proto': Rule.drop,
          forwarded: Rule.forwarded,
          // Said by other proxies, and believed by applications.
          'x-real-ip': Rule.ofProxies,
          'x-forwarded-port': Rule.ofProxies,
          'x-forwarded-prefix': Rule.ofProxies,
          'x-forwarded-scheme': Rule.ofProxies,
          'x-forwarded-server': Rule.ofProxies,
          'x-forwarded-ssl': Rule.ofProxies,
        }
      : {}),
  });
}
