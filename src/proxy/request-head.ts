/**
 * Rewrites the head of a request for an upstream: what belongs to the client's connection is left out, what the upstream must know
 * of the client is added, everything else is copied as it came. Bytes to bytes, in one pass.
 */
import type { Buffer } from 'node:buffer';
import type { TrustedProxies } from '../content/forwarded.ts';
import type { Call } from '../engine/call.ts';
import type { RequestView } from '../engine/request-view.ts';
import { COLON, CR, SLASH, SP } from '../http/byte-classes.ts';
import { readLatin1 } from '../http/latin1.ts';
import { ConnectionOptions } from './connection-options.ts';
import type { CgiScript } from './fastcgi-writer.ts';
import { type FieldRules, Rule, requestRules } from './field-rules.ts';
import type { OutgoingRequest } from './outgoing-request.ts';
import type { ProxySettings } from './settings.ts';

/** What the head of a request depends on besides the request. */
export interface RequestTarget {
  readonly authority: string;
  /** '' for none. */
  readonly basePath: string;
}

/** A request as it is to be passed on. */
export interface Asked {
  readonly call: Call;
  /** In place of the request's own, in origin-form; null: that. */
  readonly target: string | null;
  /** Of the connection that it came on. */
  readonly scheme: 'http' | 'https';
  /** The program of a FastCGI application; null: it finds its own way. */
  readonly script: CgiScript | null;
}

export interface RequestHeadOptions {
  readonly host: ProxySettings['host'];
  readonly forwarded: ProxySettings['forwarded'];
  /** Whose X-Forwarded-* are believed; null: nobody's. */
  readonly trusted: TrustedProxies | null;
  /** The value of X-Request-ID; null: it is a field like others. */
  readonly requestId: ((call: Call) => string) | null;
}

const IDEMPOTENT = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'] as const;
/** Room for everything that is added, apart from texts of the client and the settings. */
const ADDED_MAX = 512;

export class RequestHead {
  readonly #rules: FieldRules;
  readonly #options: RequestHeadOptions;
  readonly #keepsHost: boolean;
  readonly #connection = new ConnectionOptions();

  // Of the head being written.
  #upgradeStart = 0;
  #upgradeEnd = 0;
  #saysTrailers = false;
  #hasHost = false;
  #hostStart = 0;
  #hostEnd = 0;
  #isOld = false;
  /** What whoever is connected says of the client is believed. */
  #isTrusted = false;
  #forwardedFor = '';
  #forwarded = '';

  constructor(options: RequestHeadOptions) {
    this.#options = options;
    this.#rules = requestRules(options.forwarded !== 'none', options.requestId !== null);
    this.#keepsHost = 'from' in options.host && options.host.from === 'client';
  }

  /**
   * Writes the head of `call` as the first bytes of `request`, with `length` of content: 0 for none, -1 for chunks.
   */
  write(request: OutgoingRequest, { call, target, scheme }: Asked, upstream: RequestTarget, length: number): void {
    // Of HTTP/2 it is the head that its fields would have in HTTP/1; `call.head` is null there.
    const head = (call as RequestView).http1Head;
    request.length = 0;
    // A rewritten target may be longer than its original.
    const texts = upstream.authority.length + upstream.basePath.length + (target?.length ?? 0);
    request.reserve(head.length + texts + ADDED_MAX);
    const at = this.#putLine(request, head, call, upstream.basePath, target);
    this.#putHost(request, upstream);
    const { trusted } = this.#options;
    this.#isTrusted = trusted?.isTrusted(call.remote.address) === true;
    this.#connection.reset();
    const start = request.length;
    if (!this.#putFields(request, head, at)) {
      // Connection names fields that have been copied: once more, now without them.
      request.length = start;
      this.#putFields(request, head, at);
    }
    if (!this.#hasHost) request.putLatin1(`Host: ${upstream.authority}\r\n`);
    if (length !== 0)
      request.putLatin1(length < 0 ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${length}\r\n`);
    if (this.#options.forwarded !== 'none') this.#putClient(request, call, head, scheme);
    if (this.#options.requestId !== null) request.putLatin1(`X-Request-ID: ${this.#options.requestId(call)}\r\n`);
    this.#putConnection(request, head, length);
    request.putLatin1('\r\n');
  }

  /** Puts the request line; returns where the fields begin. */
  #putLine(request: OutgoingRequest, head: Buffer, call: Call, basePath: string, target: string | null): number {
    let methodEnd = 0;
    while (head[methodEnd] !== SP) methodEnd++;
    request.isIdempotent = isIdempotent(head, methodEnd);
    let targetEnd = methodEnd + 1;
    while (head[targetEnd] !== SP) targetEnd++;
    const isOrigin = head[methodEnd + 1] === SLASH;
    if (isOrigin && target === null && basePath === '') {
      request.put(head, 0, targetEnd);
    } else {
      request.put(head, 0, methodEnd + 1);
      request.putLatin1(target ?? targetOf(call, basePath));
    }
    request.putLatin1(' HTTP/1.1\r\n');
    this.#isOld = head[targetEnd + 8] === 0x30;
    // " HTTP/1.x" and CR LF.
    return targetEnd + 11;
  }

  #putHost(request: OutgoingRequest, upstream: RequestTarget): void {
    const { host } = this.#options;
    this.#hasHost = !('from' in host) || host.from === 'upstream';
    if (this.#hasHost) request.putLatin1(`Host: ${'fixed' in host ? host.fixed : upstream.authority}\r\n`);
  }

  /** Copies what is to be copied. False: something was copied that Connection, further down, says is not to be. */
  #putFields(request: OutgoingRequest, head: Buffer, from: number): boolean {
    const connection = this.#connection;
    const wasNaming = connection.names !== null;
    request.expectsContinue = false;
    this.#upgradeEnd = 0;
    this.#hostEnd = 0;
    this.#saysTrailers = false;
    this.#forwardedFor = '';
    this.#forwarded = '';
    let at = from;
    let keptFrom = from;
    while (head[at] !== CR) {
      const lineStart = at;
      while (head[at] !== COLON) at++;
      const nameEnd = at;
      let rule = this.#rules.of(head, lineStart, nameEnd);
      while (head[at] !== CR) at++;
      if (rule === Rule.ofProxies) rule = this.#isTrusted ? Rule.copy : Rule.drop;
      if (rule === Rule.copy && wasNaming && connection.has(head, lineStart, nameEnd)) rule = Rule.drop;
      if (rule === Rule.host) {
        this.#hostStart = nameEnd + 1;
        this.#hostEnd = at;
        if (this.#keepsHost) {
          this.#hasHost = true;
          rule = Rule.copy;
        }
      }
      if (rule !== Rule.copy) {
        request.put(head, keptFrom, lineStart);
        keptFrom = at + 2;
        this.#take(request, head, rule, nameEnd + 1, at);
      }
      at += 2;
    }
    request.put(head, keptFrom, at);
    return wasNaming || connection.names === null;
  }

  /** Takes note of a field that is not copied; its value is head[start, end). */
  #take(request: OutgoingRequest, head: Buffer, rule: number, start: number, end: number): void {
    switch (rule) {
      case Rule.connection:
        this.#connection.take(head, start, end);
        break;
      case Rule.upgrade:
        this.#upgradeStart = start;
        this.#upgradeEnd = end;
        break;
      case Rule.expect:
        // HTTP/1.0 has no expectations (RFC 9110 §10.1.1).
        request.expectsContinue = !this.#isOld;
        break;
      case Rule.te:
        if (/(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(readLatin1(head, start, end))) this.#saysTrailers = true;
        break;
      case Rule.forwardedFor:
        this.#forwardedFor += `${readLatin1(head, start, end).trim()}, `;
        break;
      case Rule.forwarded:
        this.#forwarded += `${readLatin1(head, start, end).trim()}, `;
        break;
      default:
    }
  }

  /** Who the client is: what a trusted proxy says of it, and the address of whoever is connected. */
  #putClient(request: OutgoingRequest, call: Call, head: Buffer, scheme: Asked['scheme']): void {
    const { forwarded, trusted } = this.#options;
    const { address } = call.remote;
    const host = this.#hostEnd === 0 ? '' : readLatin1(head, this.#hostStart, this.#hostEnd).trim();
    const isTrusted = this.#isTrusted;
    const client = isTrusted ? (trusted as TrustedProxies).clientOf(address, (name) => call.header(name)) : null;
    const proto = client?.proto ?? scheme;
    const chain = isTrusted ? this.#forwardedFor : '';
    // A Unix socket has no address.
    const node = address === '' ? 'unknown' : address;
    request.putLatin1(
      `X-Forwarded-For: ${chain}${node}\r\nX-Forwarded-Host: ${client?.host ?? host}\r\nX-Forwarded-Proto: ${proto}\r\n`,
    );
    if (forwarded !== 'both' && !(isTrusted && this.#forwarded !== '')) return;
    const quoted = node.includes(':') ? `"[${node}]"` : node;
    const ours = `for=${quoted};host="${host}";proto=${scheme}`;
    request.putLatin1(`Forwarded: ${isTrusted ? this.#forwarded : ''}${ours}\r\n`);
  }

  #putConnection(request: OutgoingRequest, head: Buffer, length: number): void {
    request.wantsUpgrade = false;
    if (this.#connection.hasUpgrade && this.#upgradeEnd > 0 && length === 0 && this.#isPassedOn(head)) {
      request.wantsUpgrade = true;
      request.putLatin1('Connection: Upgrade\r\nUpgrade:');
      request.put(head, this.#upgradeStart, this.#upgradeEnd);
      request.putLatin1('\r\n');
    } else if (this.#saysTrailers) {
      request.putLatin1('Connection: TE\r\nTE: trailers\r\n');
    }
    if (request.expectsContinue) {
      request.expectsContinue = length !== 0;
      if (request.expectsContinue) request.putLatin1('Expect: 100-continue\r\n');
    }
  }

  /** Not HTTP/2: its requests would pass unseen by every rule here. HTTP/1.0 cannot upgrade (RFC 9110 §7.8). */
  #isPassedOn(head: Buffer): boolean {
    if (this.#isOld) return false;
    const protocols = readLatin1(head, this.#upgradeStart, this.#upgradeEnd).toLowerCase();
    return !protocols.includes('h2c') && !protocols.includes('http/') && !protocols.includes('tls/');
  }
}

function targetOf(call: Call, basePath: string): string {
  const { path, query } = call;
  // "*" (RFC 9112 §3.2.4) concerns the server, not a path.
  if (path === '*') return path;
  return query === '' && !call.target.endsWith('?') ? `${basePath}${path}` : `${basePath}${path}?${query}`;
}

function isIdempotent(head: Buffer, end: number): boolean {
  for (const method of IDEMPOTENT) {
    if (method.length !== end) continue;
    let i = 0;
    while (i < end && head[i] === method.charCodeAt(i)) i++;
    if (i === end) return true;
  }
  return false;
}
