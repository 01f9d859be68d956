/** The class of incoming requests. */
import type { Origin } from './origin.ts';
import { INTERNAL, Request, sourceOf } from './request.ts';
import type { RequestSource } from './source.ts';

/** An incoming request: a `Request` with what else a server knows. Programs see the class `Request`. */
export class LazyRequest extends Request {
  constructor(source: RequestSource, origin: Origin) {
    super(INTERNAL, source, origin);
  }

  /** The client's address, without its port. */
  get ip(): string {
    return (sourceOf(this) as RequestSource).remote.address;
  }

  set ip(value: string) {
    Object.defineProperty(this, 'ip', { value, writable: true, enumerable: true, configurable: true });
  }

  get params(): Readonly<Record<string, string>> {
    return (sourceOf(this) as RequestSource).params;
  }

  /** Routers such as itty-router store theirs here. */
  set params(value: Readonly<Record<string, string>>) {
    Object.defineProperty(this, 'params', { value, writable: true, enumerable: true, configurable: true });
  }

  waitUntil(work: Promise<unknown>): void {
    (sourceOf(this) as RequestSource).waitUntil(work);
  }
}

// Frameworks look at `request.constructor.name`.
Reflect.deleteProperty(LazyRequest.prototype, 'constructor');
