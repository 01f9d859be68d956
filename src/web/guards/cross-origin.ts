/** CORS (Fetch §3.2): preflights are answered here, and the fields of all other answers depend on who asks. */
import type { Call } from '../../engine/call.ts';
import { MadeReply } from '../../http/made-reply.ts';
import type { Reply } from '../../http/reply.ts';
import type { AnswerShape, FieldList } from '../answer-shape.ts';
import type { CorsConfig } from '../config/security-config.ts';
import type { ChooseShape, Guard } from '../route.ts';

export class CorsGuard implements Guard {
  readonly #config: CorsConfig;

  constructor(config: CorsConfig) {
    this.#config = config;
  }

  /** Answers preflights; a request that is none passes. */
  check(call: Call, _: boolean, shape: AnswerShape): Reply | null {
    if (call.method !== 'OPTIONS' || call.header('origin') === null) return null;
    const method = call.header('access-control-request-method');
    if (method === null) return null;
    const { methods, headers, maxAgeS } = this.#config;
    const asked = call.header('access-control-request-headers');
    const fields: [string, string][] = [
      ['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'],
    ];
    if (isAllowed(this.#config, call.header('origin') ?? '')) {
      fields.push(['Access-Control-Allow-Methods', methods.join(', ')], ['Access-Control-Max-Age', String(maxAgeS)]);
      const allowed = headers.length === 0 ? asked : headers.join(', ');
      if (allowed !== null && /^[\w!#$%&'*+.^`|~, -]*$/.test(allowed))
        fields.push(['Access-Control-Allow-Headers', allowed]);
    }
    let lines = '';
    for (const [name, value] of shape.fieldsOf(fields)) lines += `${name}: ${value}\r\n`;
    return new MadeReply(204, lines, '');
  }
}

/** A shape for each origin that is allowed, made once. */
export function corsShapes(config: CorsConfig, plain: AnswerShape): { shape: AnswerShape; choose: ChooseShape | null } {
  if (config.origins.includes('*')) return { shape: plain.with(fieldsFor('*', config)), choose: null };
  const shape = plain.with([['Vary', 'Origin']]);
  const byOrigin = new Map(config.origins.map((origin) => [origin, shape.with(fieldsFor(origin, config))]));
  return {
    shape,
    choose: (call) => {
      const origin = call.header('origin');
      return origin === null ? shape : (byOrigin.get(origin.toLowerCase()) ?? shape);
    },
  };
}

function isAllowed({ origins }: CorsConfig, origin: string): boolean {
  return origins.includes('*') || origins.includes(origin.toLowerCase());
}

function fieldsFor(origin: string, { allowsCredentials, exposed }: CorsConfig): FieldList {
  const fields: [string, string][] = [['Access-Control-Allow-Origin', origin]];
  if (allowsCredentials) fields.push(['Access-Control-Allow-Credentials', 'true']);
  if (exposed.length > 0) fields.push(['Access-Control-Expose-Headers', exposed.join(', ')]);
  return fields;
}
