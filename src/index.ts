/** What programs import from 'vrypt-server'. */
import './app/supported-node.ts';

export type {
  AcceptOptions,
  App,
  Awaitable,
  Call,
  FetchRoute,
  Handler,
  Limits,
  ListenTarget,
  Options,
  Route,
  RouteTarget,
  Server,
  ServerRequest,
  TakenOverStream,
  UpgradeOptions,
} from './app/app.ts';
export type { Asked } from './app/asked.ts';
export { type FileOptions, type FilesOptions, file, files } from './app/file-replies.ts';
export { compressed, compressResponse, entityTag, precondition, redirect, validatorFields } from './app/own-answers.ts';
export { type Decoded, decoded, readForm } from './app/request-content.ts';
export { serve } from './app/serve.ts';
export { type TestConnection, type TestServer, test } from './app/test-server.ts';
export type { Validators } from './content/conditional.ts';
export { ContentError, type ContentFault } from './content/content-error.ts';
export { type CookieAttributes, deleteCookie, parseCookies, setCookie } from './content/cookies.ts';
export type { Form, FormOptions } from './content/forms.ts';
export type { TrustProxy } from './content/forwarded.ts';
export { formatHttpDate, parseHttpDate } from './content/http-date.ts';
export type { MultipartLimits } from './content/multipart.ts';
export { baseName, type PartHead } from './content/part-head.ts';
export { type Parameters, parseQuery, queryValue } from './content/query.ts';
export { isLocalTarget, localTarget, type RedirectStatus } from './content/redirect.ts';
export type { FileConsumer, FormFile } from './content/uploads.ts';
export type { Address, PeerCredentials } from './engine/address.ts';
export type { AnswerEnd, Body, HttpVersion } from './engine/call.ts';
export type { DatagramSocket, Datagrams } from './engine/datagrams.ts';
export type { Link, Protocol } from './engine/protocol.ts';
export { RequestError } from './engine/request-error.ts';
export { type Content, type Sink, type StreamSource, stream } from './engine/stream-reply.ts';
export type { EventOptions } from './events/event-text.ts';
export { type EventSink, type EventsOptions, events } from './events/events.ts';
export { Headers, Request, Response } from './fetch/standard.ts';
export type { FileCacheLimits } from './files/directory-options.ts';
export { Answer } from './http/answer.ts';
export type { Fields } from './http/fields.ts';
export { json, reply } from './http/made-reply.ts';
export { Reply } from './http/reply.ts';
export { type SystemdSocket, takeSystemdSockets } from './processes/systemd.ts';
export type { Tls, TlsCertificate, TlsSettings } from './tls/options.ts';
export type {
  BinaryData,
  BinaryType,
  CompressorName,
  PerMessageDeflate,
  Socket,
  SocketHandlers,
} from './websocket/handlers.ts';
