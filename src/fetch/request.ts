/**
 * `Request`: made by a program, as the Fetch standard specifies, or by the engine for an incoming request. The latter is a
 * source and the server's origin; everything else is made on demand.
 */
import { parseUrl } from './base-url.ts';
import { Body } from './body.ts';
import { type Extracted, extractBody } from './extract.ts';
import type { HeaderList } from './header-list.ts';
import {
  addDefaultType,
  copyFields,
  fieldPairs,
  type Headers,
  listOf,
  makeHeaders,
  makeSourceHeaders,
} from './headers.ts';
import { addReaders, type BodyReaders } from './members.ts';
import { acceptOurs, isNative } from './native.ts';
import { isNoCorsSafelisted } from './no-cors.ts';
import type { Origin } from './origin.ts';
import { sendableFields } from './passed-on.ts';
import { DEFAULT_MODES, type RequestModes, toMethod, toModes, toSignal } from './request-init.ts';
import type { RequestSource } from './source.ts';
import { asInterface, INSPECT, type Inspect, isPlainInstance, needArguments, toDictionary } from './webidl.ts';

/** For this room only: makes the constructor skip the standard's steps. */
export const INTERNAL = Symbol('internal');

/** Whether it is one of ours. */
export let isRequest: (value: unknown) => value is Request;
let bodyOf: (value: unknown) => Body | null;
/** The source of an incoming request; null for anything else. */
export let sourceOf: (value: unknown) => RequestSource | null;
/** Options that make Node's own Request equal to ours, which is used up. */
export let toNativeInit: (request: Request) => RequestInit;

export class Request {
  #method = 'GET';
  #url: string | null = null;
  #source: RequestSource | null = null;
  #origin: Origin | null = null;
  #headers: Headers | null = null;
  #modes: Readonly<RequestModes> = DEFAULT_MODES;
  /** Has the signal to follow: the request that this one was made from, or `init`. */
  #followed: { readonly signal: AbortSignal } | null = null;
  #signal: AbortSignal | null = null;
  /** undefined: the content of the source, not yet asked for. */
  #body: Body | null | undefined = null;
  declare arrayBuffer: BodyReaders['arrayBuffer'];
  declare blob: BodyReaders['blob'];
  declare bytes: BodyReaders['bytes'];
  declare formData: BodyReaders['formData'];
  declare json: BodyReaders['json'];
  declare text: BodyReaders['text'];

  static {
    addReaders(Request, (request) => request.#content());
    isRequest = (value): value is Request => typeof value === 'object' && value !== null && #modes in value;
    sourceOf = (value) => (isRequest(value) ? value.#source : null);
    bodyOf = (value) => {
      if (isRequest(value)) return value.#content();
      if (!isNative('Request', value)) return null;
      const { body } = value as globalThis.Request;
      return body === null ? null : new Body(body as ReadableStream);
    };
    toNativeInit = (request) => {
      const { mode, ...modes } = request.#modes;
      const body = request.#content();
      const content = body?.take() ?? null;
      const isKnown = content === null || typeof content === 'string' || content instanceof Uint8Array;
      return {
        ...modes,
        ...(mode === 'navigate' ? {} : { mode }),
        method: request.method,
        headers: sendableFields(fieldsOf(request), request.#source !== null, isKnown),
        body: isKnown ? content : content instanceof Blob ? content : new Body(content).stream,
        duplex: 'half',
        signal: request.signal,
      } as RequestInit;
    };
  }

  constructor(input: unknown, init: unknown = undefined, origin: unknown = undefined) {
    if (input === INTERNAL) {
      if (origin === undefined) return;
      this.#source = init as RequestSource;
      this.#origin = origin as Origin;
      this.#body = undefined;
      return;
    }
    needArguments(arguments.length, 1, 'Request');
    const dictionary = toDictionary(init, 'The second argument of Request') as RequestInit | null;
    if (isRequest(input)) this.#inherit(input);
    else if (isNative('Request', input)) {
      this.#inheritNative(input as globalThis.Request);
    } else {
      const url = parseUrl(`${input}`);
      if (url.username !== '' || url.password !== '') {
        throw new TypeError(`The URL of a request must not have credentials, got ${JSON.stringify(url.href)}`);
      }
      this.#url = url.href;
    }
    const content = dictionary === null ? null : this.#initialize(dictionary, input);
    this.#adopt(content, bodyOf(input));
  }

  get method(): string {
    return this.#source === null ? this.#method : this.#source.method;
  }

  get url(): string {
    this.#url ??= (this.#origin as Origin).urlOf(this.#source as RequestSource);
    return this.#url;
  }

  get headers(): Headers {
    this.#headers ??= this.#source === null ? makeHeaders([], 'none') : makeSourceHeaders(this.#source);
    return this.#headers;
  }

  get destination(): '' {
    void this.#modes;
    return '';
  }

  get referrer(): string {
    return this.#modes.referrer;
  }

  get referrerPolicy(): RequestModes['referrerPolicy'] {
    return this.#modes.referrerPolicy;
  }

  get mode(): RequestModes['mode'] {
    return this.#modes.mode;
  }

  get credentials(): RequestModes['credentials'] {
    return this.#modes.credentials;
  }

  get cache(): RequestModes['cache'] {
    return this.#modes.cache;
  }

  get redirect(): RequestModes['redirect'] {
    return this.#modes.redirect;
  }

  get integrity(): string {
    return this.#modes.integrity;
  }

  get keepalive(): boolean {
    return this.#modes.keepalive;
  }

  get isReloadNavigation(): boolean {
    void this.#modes;
    return false;
  }

  get isHistoryNavigation(): boolean {
    void this.#modes;
    return false;
  }

  get duplex(): 'half' {
    void this.#modes;
    return 'half';
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#makeSignal();
    return this.#signal;
  }

  get body(): ReadableStream | null {
    return this.#content()?.stream ?? null;
  }

  get bodyUsed(): boolean {
    const body = this.#body;
    return body?.isUsed === true;
  }

  clone(): Request {
    const body = this.#content();
    if (body?.isUnusable === true) throw new TypeError('A request that has been read or is locked cannot be cloned');
    const copy = new Request(INTERNAL);
    copy.#inherit(this);
    copy.#body = body?.clone() ?? null;
    return copy;
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { method, url, headers, bodyUsed } = this;
    return `Request ${inspect({ method, url, headers, bodyUsed }, { ...options, depth })}`;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return isPlainInstance(this, value) || (this === Request && isNative('Request', value));
  }

  /** Everything but the content. */
  #inherit(other: Request): void {
    this.#method = other.method;
    this.#url = other.url;
    this.#modes = other.#modes;
    const guard = other.#modes.mode === 'no-cors' ? 'request-no-cors' : 'none';
    this.#headers = makeHeaders(fieldsOf(other).slice(), guard);
    if (other.#signal !== null || other.#followed !== null || other.#source !== null) this.#followed = other;
  }

  #inheritNative(other: globalThis.Request): void {
    const { mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive } = other;
    this.#method = other.method;
    this.#url = other.url;
    this.#modes = { mode, credentials, cache, redirect, referrer, referrerPolicy, integrity, keepalive };
    this.#headers = makeHeaders(copyFields(other.headers), mode === 'no-cors' ? 'request-no-cors' : 'none');
    this.#followed = other;
  }

  /** Steps 10 to 39 of the constructor; returns the body from `init`. */
  #initialize(init: RequestInit, input: unknown): Extracted | null {
    const { method, headers, body, signal } = init;
    this.#modes = toModes(this.#modes, init);
    if (method !== undefined) this.#method = toMethod(method);
    if (signal !== undefined) this.#followed = toFollowed(signal);
    if (headers !== undefined) this.#headers = makeHeaders(copyFields(headers), 'none');
    if (this.#modes.mode === 'no-cors') this.#restrict();
    const hasBody = (body !== undefined && body !== null) || bodyOf(input) !== null;
    if (hasBody && (this.#method === 'GET' || this.#method === 'HEAD')) {
      throw new TypeError(`A request with method ${this.#method} must not have a body`);
    }
    if (body === undefined || body === null) return null;
    const extracted = extractBody(body);
    if (extracted.isStream) {
      if (init.duplex === undefined) throw new TypeError('duplex must be "half" where the body is a stream');
      if (this.#modes.keepalive) throw new TypeError('keepalive must not be set where the body is a stream');
      if (this.#modes.mode !== 'same-origin' && this.#modes.mode !== 'cors') {
        throw new TypeError('mode must be "same-origin" or "cors" where the body is a stream');
      }
    }
    if (extracted.type !== null) {
      const isAllowed = this.#modes.mode !== 'no-cors' || isNoCorsSafelisted('content-type', extracted.type);
      if (isAllowed) addDefaultType(fieldsOf(this), extracted.type);
    }
    return extracted;
  }

  /** Takes the content of `init`, or else of the request that this one is made from, which is used up in any case. */
  #adopt(given: Extracted | null, inherited: Body | null): void {
    if (given !== null) {
      this.#body = given.body;
      if (inherited !== null && !inherited.isUnusable) inherited.take();
    } else if (inherited !== null) {
      this.#body = new Body(inherited.transfer());
    }
  }

  /** Mode "no-cors" allows simple methods and headers only. */
  #restrict(): void {
    if (this.#method !== 'GET' && this.#method !== 'HEAD' && this.#method !== 'POST') {
      throw new TypeError(`method must be GET, HEAD or POST where mode is "no-cors", got ${this.#method}`);
    }
    const restricted = makeHeaders([], 'request-no-cors');
    for (const [name, value] of fieldPairs(fieldsOf(this))) restricted.append(name, value);
    this.#headers = restricted;
  }

  #makeSignal(): AbortSignal {
    if (this.#source !== null) return this.#source.signal;
    return this.#followed === null ? new AbortController().signal : AbortSignal.any([this.#followed.signal]);
  }

  #content(): Body | null {
    if (this.#body === undefined) this.#body = incomingBody(this.#source as RequestSource);
    return this.#body;
  }
}

asInterface(Request, 'Request', [
  'method',
  'url',
  'headers',
  'destination',
  'referrer',
  'referrerPolicy',
  'mode',
  'credentials',
  'cache',
  'redirect',
  'integrity',
  'keepalive',
  'isReloadNavigation',
  'isHistoryNavigation',
  'duplex',
  'signal',
  'body',
  'bodyUsed',
  'arrayBuffer',
  'blob',
  'bytes',
  'clone',
  'formData',
  'json',
  'text',
]);
acceptOurs('Request', Request);

/** Content of a GET or HEAD has no meaning (RFC 9110 §9.3.1), and the Fetch standard gives them no body. */
function incomingBody(source: RequestSource): Body | null {
  if (source.method === 'GET' || source.method === 'HEAD') return null;
  const { body } = source;
  return body.length === 0 ? null : new Body(body);
}

function fieldsOf(request: Request): HeaderList {
  return listOf(request.headers) as HeaderList;
}

function toFollowed(value: unknown): { readonly signal: AbortSignal } | null {
  const signal = toSignal(value);
  return signal === null ? null : { signal };
}
