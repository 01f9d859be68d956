/** `Response`, and its parts for the engine: text and bytes are sent as they were given, without a stream. */
import { baseUrl, parseUrl } from './base-url.ts';
import { Body, type Content, isStream } from './body.ts';
import { extractBody, TEXT_TYPE } from './extract.ts';
import { isReasonPhrase, toByteString } from './field-syntax.ts';
import { type HeaderList, hasField } from './header-list.ts';
import { addDefaultType, copyFields, type Headers, type HeadersGuard, makeHeaders } from './headers.ts';
import { addReaders, type BodyReaders } from './members.ts';
import { acceptOurs, isNative } from './native.ts';
import { foreignParts, type ResponseParts, refuseStatus } from './parts.ts';
import { asInterface, INSPECT, type Inspect, isPlainInstance, needArguments, toDictionary } from './webidl.ts';

/** The fields of `new Response(text)`: shared until somebody asks for the headers. */
const TEXT_FIELDS: HeaderList = ['content-type', 'Content-Type', TEXT_TYPE];
const NO_FIELDS: HeaderList = [];

/** Fetch standard §2.2.3: "null body status". */
function isNullBodyStatus(status: number): boolean {
  return status === 204 || status === 205 || status === 304 || status === 101 || status === 103;
}

let isResponse: (value: unknown) => value is Response;
let partsOf: (response: Response) => ResponseParts;

export class Response {
  #status = 200;
  #statusText = '';
  /** Shared with `#headers` once that exists. */
  #list: HeaderList = NO_FIELDS;
  #headers: Headers | null = null;
  #guard: HeadersGuard = 'none';
  #isError = false;
  /** Text stays here until something needs a `Body`. */
  #text: string | null = null;
  #body: Body | null = null;
  declare arrayBuffer: BodyReaders['arrayBuffer'];
  declare blob: BodyReaders['blob'];
  declare bytes: BodyReaders['bytes'];
  declare formData: BodyReaders['formData'];
  declare json: BodyReaders['json'];
  declare text: BodyReaders['text'];

  static {
    addReaders(Response, (response) => response.#content());
    isResponse = (value): value is Response => typeof value === 'object' && value !== null && #status in value;
    partsOf = (response) => {
      if (response.#isError) refuseStatus(0);
      const list = response.#list;
      const text = response.#text;
      if (text !== null) {
        response.#text = null;
        response.#body = SENT;
        return {
          status: response.#status,
          statusText: response.#statusText,
          fields: list,
          content: text,
          length: null,
        };
      }
      const { content, length } = takeContent(response.#body);
      return { status: response.#status, statusText: response.#statusText, fields: list, content, length };
    };
  }

  constructor(body: unknown = null, init: unknown = undefined) {
    if (init !== undefined && init !== null) this.#initialize(init);
    if (typeof body === 'string') {
      if (isNullBodyStatus(this.#status)) refuseContent(this.#status);
      this.#text = body;
      if (this.#list === NO_FIELDS) this.#list = TEXT_FIELDS;
      else if (!hasField(this.#list, 'content-type')) this.#list.push('content-type', 'Content-Type', TEXT_TYPE);
    } else if (body !== null && body !== undefined) {
      const extracted = extractBody(body);
      if (isNullBodyStatus(this.#status)) refuseContent(this.#status);
      this.#body = extracted.body;
      if (extracted.type !== null) addDefaultType(this.#ownList(), extracted.type);
    }
  }

  static error(): Response {
    const response = new Response();
    response.#status = 0;
    response.#isError = true;
    response.#guard = 'immutable';
    return response;
  }

  static json(data: unknown, init: unknown = undefined): Response {
    needArguments(arguments.length, 1, 'Response.json');
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError(`The data must have a JSON form, got ${typeof data}`);
    const response = new Response(null, init);
    if (isNullBodyStatus(response.#status)) refuseContent(response.#status);
    response.#text = text;
    const list = response.#ownList();
    if (!hasField(list, 'content-type')) list.push('content-type', 'Content-Type', 'application/json');
    return response;
  }

  /** The standard resolves `url` against the page's. Without a page, a relative one is sent as it is, as in Bun. */
  static redirect(url: string | URL, status: number = 302): Response {
    needArguments(arguments.length, 1, 'Response.redirect');
    const location = redirectTarget(`${url}`);
    const code = toUnsignedShort(status);
    if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) {
      throw new RangeError(`The status of a redirect must be 301, 302, 303, 307 or 308, got ${status}`);
    }
    const response = new Response();
    response.#status = code;
    response.#list = ['location', 'Location', location];
    response.#guard = 'immutable';
    return response;
  }

  get type(): 'default' | 'error' {
    return this.#isError ? 'error' : 'default';
  }

  get url(): string {
    void this.#status;
    return '';
  }

  get redirected(): boolean {
    void this.#status;
    return false;
  }

  get status(): number {
    return this.#status;
  }

  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  get statusText(): string {
    return this.#statusText;
  }

  get headers(): Headers {
    this.#headers ??= makeHeaders(this.#ownList(), this.#guard);
    return this.#headers;
  }

  get body(): ReadableStream | null {
    return this.#content()?.stream ?? null;
  }

  get bodyUsed(): boolean {
    return this.#text === null && this.#body !== null && this.#body.isUsed;
  }

  clone(): Response {
    const body = this.#content();
    if (body?.isUnusable === true) throw new TypeError('A response that has been read or is locked cannot be cloned');
    const copy = new Response();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#isError = this.#isError;
    copy.#guard = this.#guard;
    copy.#list = this.#list.slice();
    copy.#body = body?.clone() ?? null;
    return copy;
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { status, statusText, headers, bodyUsed } = this;
    return `Response ${inspect({ status, statusText, headers, bodyUsed }, { ...options, depth })}`;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return isPlainInstance(this, value) || (this === Response && isNative('Response', value));
  }

  /** Fetch standard §5.5, "initialize a response". A Response can itself be the options. */
  #initialize(init: unknown): void {
    if (typeof init === 'object' && init !== null && #status in init) {
      this.#status = init.#status;
      this.#statusText = init.#statusText;
      if (init.#isError) refuseStatus(0);
      if (init.#list.length > 0) this.#list = init.#list.slice();
      return;
    }
    const { status, statusText, headers } = (toDictionary(init, 'The second argument of Response') ??
      {}) as ResponseInit;
    if (status !== undefined) this.#status = toStatus(status);
    if (statusText !== undefined) {
      const text = toByteString(statusText, 'statusText');
      if (!isReasonPhrase(text)) throw new TypeError(`statusText must be a reason phrase, got ${JSON.stringify(text)}`);
      this.#statusText = text;
    }
    if (headers !== undefined) this.#list = copyFields(headers);
  }

  #ownList(): HeaderList {
    if (this.#list === TEXT_FIELDS) this.#list = TEXT_FIELDS.slice();
    else if (this.#list === NO_FIELDS) this.#list = [];
    return this.#list;
  }

  #content(): Body | null {
    if (this.#text !== null) {
      this.#body = new Body(this.#text);
      this.#text = null;
    }
    return this.#body;
  }
}

asInterface(
  Response,
  'Response',
  [
    'type',
    'url',
    'redirected',
    'status',
    'ok',
    'statusText',
    'headers',
    'body',
    'bodyUsed',
    'arrayBuffer',
    'blob',
    'bytes',
    'clone',
    'formData',
    'json',
    'text',
  ],
  ['error', 'json', 'redirect'],
);
acceptOurs('Response', Response);

/** The body of a response that has been sent: used. */
const SENT = new Body('');
SENT.take();

/**
 * What the engine sends. Uses the response up; throws a TypeError if it has been used before. Accepts any Response, but
 * content of foreign ones is a stream, except for srvx's.
 */
export function responseParts(response: unknown): ResponseParts {
  return isResponse(response) ? partsOf(response) : foreignParts(response);
}

function takeContent(body: Body | null): { content: ResponseParts['content']; length: number | null } {
  if (body === null) return { content: null, length: null };
  const { length } = body;
  const content: Content = body.take();
  if (typeof content === 'string' || content instanceof Uint8Array) return { content, length: null };
  return isStream(content) ? { content, length: null } : { content: content.stream(), length };
}

function toStatus(value: unknown): number {
  const status =
    typeof value === 'number' && value >= 200 && value <= 599 && (value | 0) === value ? value : toUnsignedShort(value);
  if (status < 200 || status > 599) refuseStatus(status);
  return status;
}

/** WebIDL's conversion to `unsigned short`. */
function toUnsignedShort(value: unknown): number {
  return new Uint16Array([Number(value)])[0] as number;
}

function refuseContent(status: number): never {
  throw new TypeError(`A response with status ${status} must not have a body`);
}

function redirectTarget(url: string): string {
  const isRelative = !URL.canParse(url) && URL.canParse(url, 'http://relative.invalid/');
  if (!isRelative || baseUrl() !== undefined) return parseUrl(url).href;
  return /^[\x21-\x7e]*$/.test(url) ? url : encodeURI(url);
}
