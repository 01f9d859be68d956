/**
 * The web level's `Request`, `Response` and `Headers`: lazy (what is not asked for is not made), as the Fetch standard
 * says, and cheap: a pair costs a tenth of Node's own. Importing this room loads nothing of Node's own fetch.
 *
 *     const origin = new Origin('http', 'localhost:3000');        // once a server
 *     const request = new LazyRequest(call, origin);              // `call` is any RequestSource
 *     const parts = responseParts(await app.fetch(request, server));
 *
 * See globals.ts for how programs get these classes, native.ts for `instanceof`.
 */
export { installGlobals, linkGlobals } from './globals.ts';
export { Headers } from './headers.ts';
export { Origin } from './origin.ts';
export type { ResponseParts } from './parts.ts';
export { LazyRequest, Request, sourceOf } from './request.ts';
export { Response, responseParts } from './response.ts';
export type { RequestBody, RequestSource } from './source.ts';
