/**
 * Replaces the global Request, Response and Headers, so that `new Response('x')` in a program makes a cheap one.
 *
 * `serve()` calls this for an app with a `fetch` handler. Code looks globals up when it runs, so frameworks loaded earlier
 * use our classes too. References to Node's classes that were taken before keep working: instances of one kind are
 * `instanceof` the other, and the engine accepts both.
 *
 * `fetch` remains Node's and returns Node's Response; a wrapper translates our Requests for it.
 */
import { Headers } from './headers.ts';
import { learnFrom, learnGlobals, rememberGlobals } from './native.ts';
import { isRequest, Request, toNativeInit } from './request.ts';
import { Response } from './response.ts';

type Fetch = typeof globalThis.fetch;

let isInstalled = false;

/** Does nothing the second time. Loads nothing. */
export function installGlobals(): void {
  if (isInstalled) return;
  isInstalled = true;
  const nodes = rememberGlobals();
  // Assigned, because defining a property makes V8 read the old value, which loads undici.
  Object.assign(globalThis, { Headers, Request, Response, fetch: wrapFetch(nodes) });
}

/** For a program that keeps Node's globals: makes `instanceof` hold across both kinds. Loads undici. */
export function linkGlobals(): void {
  if (!isInstalled) learnGlobals();
}

function wrapFetch(nodes: Fetch): Fetch {
  async function fetch(input: unknown, init: unknown = undefined): Promise<globalThis.Response> {
    const options = isRequest(init) ? toNativeInit(init) : (init as RequestInit | undefined);
    const response = isRequest(input)
      ? await nodes(input.url, { ...toNativeInit(input), ...withoutUndefined(options) })
      : await nodes(input as string, options);
    learnFrom(response);
    return response;
  }
  return fetch as Fetch;
}

function withoutUndefined(options: RequestInit | null | undefined): RequestInit {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined));
}
