/**
 * How a program that says `new Response('x')` gets the cheap classes: they take the place of the global ones.
 *
 * `serve()` calls this where an app has a `fetch` handler, before the handler runs. Code finds globals when it runs, so
 * that frameworks loaded earlier use ours, too. A class that somebody has kept from before goes on working: its objects
 * are instances of ours and ours of it, and the engine takes either.
 *
 * `fetch` stays Node's and returns Node's Response; the wrapper tells it what Requests of ours say.
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
  // Assigned, not defined: for a definition, V8 would look at the old value, and that loads undici.
  Object.assign(globalThis, { Headers, Request, Response, fetch: wrapFetch(nodes) });
}

/** For who keeps Node's globals: `instanceof` holds for ours and theirs. Loads undici. */
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
