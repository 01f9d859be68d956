/** Negotiates permessage-deflate (RFC 7692 §7.1). */
import { type ExtensionOffer, parseExtensions } from './extension-header.ts';

/** What this server wants. Window sizes are in bits, 9 to 15: zlib cannot produce raw deflate with 8. */
export interface DeflateOptions {
  /** Our messages refer to earlier ones: better compression, one compressor for each client. */
  readonly serverKeepsContext: boolean;
  /** The client's messages may refer to earlier ones: one decompressor for each client. */
  readonly clientKeepsContext: boolean;
  readonly serverWindowBits: number;
  readonly clientWindowBits: number;
  /** False: we send nothing compressed, and only read it. */
  readonly compresses: boolean;
  /** zlib's memory level of the compressor, 1 to 9. */
  readonly memoryLevel: number;
  /** Shorter messages, in bytes, are not compressed unless the sender asks for it. */
  readonly threshold: number;
}

/** What was agreed on for one connection. */
export interface DeflateAgreement {
  readonly serverKeepsContext: boolean;
  readonly clientKeepsContext: boolean;
  readonly serverWindowBits: number;
  /** The most that the client's compressor uses. */
  readonly clientWindowBits: number;
  /** Value of our Sec-WebSocket-Extensions. */
  readonly field: string;
}

const BITS = /^(?:[89]|1[0-5])$/;

/** The agreement for the first acceptable offer; null: no compression; 'malformed': the field is not valid. */
export function negotiateDeflate(
  field: string | null,
  wanted: DeflateOptions | null,
): DeflateAgreement | null | 'malformed' {
  if (field === null) return null;
  const offers = parseExtensions(field);
  if (offers === null) return 'malformed';
  if (wanted === null) return null;
  for (const offer of offers) {
    const agreement = offer.name === 'permessage-deflate' ? agree(offer, wanted) : null;
    if (agreement !== null) return agreement;
  }
  return null;
}

/** Null if the offer must be declined (§7.1.2: unknown, repeated or invalid parameters). */
function agree({ parameters }: ExtensionOffer, wanted: DeflateOptions): DeflateAgreement | null {
  const offered = new Map(parameters);
  if (offered.size !== parameters.length) return null;
  for (const [name, value] of parameters) {
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== true) return null;
        break;
      case 'server_max_window_bits':
        if (value === true || !BITS.test(value)) return null;
        break;
      case 'client_max_window_bits':
        if (value !== true && !BITS.test(value)) return null;
        break;
      default:
        return null;
    }
  }
  const serverBits = offered.get('server_max_window_bits');
  const serverWindowBits = Math.min(Number(serverBits ?? 15), wanted.serverWindowBits);
  if (serverWindowBits < 9) return null;
  const clientBits = offered.get('client_max_window_bits');
  const offeredClientBits = typeof clientBits === 'string' ? Number(clientBits) : 15;
  // The parameter must not be sent to a client that has not offered it (§7.1.2.2).
  const clientWindowBits = clientBits === undefined ? 15 : Math.min(offeredClientBits, wanted.clientWindowBits);
  const serverKeepsContext = wanted.serverKeepsContext && !offered.has('server_no_context_takeover');
  // If the client offers it, it is a promise; if not, we may still require it (§7.1.1.2).
  const clientKeepsContext = wanted.clientKeepsContext && !offered.has('client_no_context_takeover');
  let answer = 'permessage-deflate';
  if (!serverKeepsContext) answer += '; server_no_context_takeover';
  if (!clientKeepsContext) answer += '; client_no_context_takeover';
  if (serverBits !== undefined || serverWindowBits < 15) answer += `; server_max_window_bits=${serverWindowBits}`;
  if (clientBits !== undefined && clientWindowBits < 15) answer += `; client_max_window_bits=${clientWindowBits}`;
  return { serverKeepsContext, clientKeepsContext, serverWindowBits, clientWindowBits, field: answer };
}
