/** `node:quic` as far as it is used here, which Node's own types lack, and where it comes from. */
import type { KeyObject } from 'node:crypto';
import type { SocketAddress } from 'node:net';

/** The protocol of writers of `node:stream/iter`. */
export const DRAINABLE = Symbol.for('Stream.drainableProtocol');

/** Names to values; a name that came several times has an array. */
export type QuicFields = Readonly<Record<string, string | readonly string[]>>;

export interface QuicWriter {
  /** null: closed. */
  readonly canWrite: boolean | null;
  /** Copies; false: nothing was taken. */
  writeSync(bytes: Uint8Array): boolean;
  /** -1: not now. */
  endSync(): number;
  /** Resolves when there is room; null: there is. */
  [DRAINABLE](): Promise<unknown> | null;
}

export interface QuicStream extends AsyncIterable<readonly Uint8Array[]> {
  readonly destroyed: boolean;
  /** Sent before the handshake was over. */
  readonly early: boolean;
  readonly closed: Promise<void>;
  readonly writer: QuicWriter;
  readonly stats: { readonly maxOffsetAcknowledged: bigint };
  /** What may wait to be acknowledged, in bytes. */
  budget: number;
  onheaders: ((fields: QuicFields) => void) | undefined;
  /** As they are while content is still under way to whoever reads it. */
  ontrailers: ((fields: QuicFields) => void) | undefined;
  /** Only to be set if there are trailers to send, and before content ends. */
  onwanttrailers: (() => void) | undefined;
  onreset: (() => void) | undefined;
  onstopsending: (() => void) | undefined;
  sendHeaders(fields: QuicFields, options?: { readonly terminal: boolean }): boolean;
  sendInformationalHeaders(fields: QuicFields): boolean;
  sendTrailers(fields: QuicFields): boolean;
  setBody(bytes: Uint8Array): void;
  stopSending(code: bigint): void;
  destroy(error?: unknown, options?: { readonly code: bigint }): void;
}

export interface QuicSession {
  /** false: the client named no host. */
  readonly servername: string | false | null;
  readonly path: { readonly local: SocketAddress; readonly remote: SocketAddress } | undefined;
  readonly closed: Promise<void>;
  onerror: ((error: unknown) => void) | undefined;
  onstream: ((stream: QuicStream) => void) | undefined;
  /** GOAWAY; it ends with its last stream. */
  close(): Promise<void>;
  destroy(error?: unknown, options?: { readonly code: bigint; readonly type: 'application' }): void;
}

export interface QuicIdentity {
  readonly keys: readonly KeyObject[];
  readonly certs: readonly Uint8Array[];
  /** false: its names are not announced to clients (RFC 9412). */
  readonly authoritative: boolean;
}

export interface QuicEndpoint {
  readonly address: SocketAddress | undefined;
  /** Refuses new connections. */
  busy: boolean;
  setSNIContexts(entries: Readonly<Record<string, QuicIdentity>>, options: { readonly replace: boolean }): void;
  readonly closed: Promise<void>;
  close(): Promise<void>;
  destroy(): void;
}

export interface QuicModule {
  listen(onSession: (session: QuicSession) => void, options: object): Promise<QuicEndpoint>;
}

const LACK = 'http3 needs a Node.js with QUIC, which the runtimes of vrypt-server have and this one lacks';
const NOT_ASKED = 'http3 needs QUIC, which this Node.js has only if it is started with --experimental-quic';

/** Throws, and says what the runtime lacks. */
export function loadQuic(): QuicModule {
  const { variables } = process.config as unknown as { variables: { node_use_quic?: boolean } };
  if (variables.node_use_quic !== true) throw new Error(LACK);
  if ((process.features as { quic?: boolean }).quic !== true) throw new Error(NOT_ASKED);
  // Whoever offers it says so.
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:quic' as never) as QuicModule;
  } finally {
    process.emitWarning = emitWarning;
  }
}
