/**
 * Our classes under the types of the globals that they stand in for, so that what a program makes with them fits wherever the
 * standard's classes are expected.
 */
import * as headers from './headers.ts';
import * as request from './request.ts';
import * as response from './response.ts';

/** `Headers` of the Fetch standard, §5.1. */
export const Headers: typeof globalThis.Headers = headers.Headers as never;
export type Headers = globalThis.Headers;

/** `Request` of the Fetch standard, §5.4. */
export const Request: typeof globalThis.Request = request.Request as never;
export type Request = globalThis.Request;

/** `Response` of the Fetch standard, §5.5. In apps with a `fetch` handler it is also the global. */
export const Response: typeof globalThis.Response = response.Response as never;
export type Response = globalThis.Response;
