/** From a web-level response to an answer of the engine. */
import { StreamReply, type StreamSource } from '../engine/stream-reply.ts';
import { type ResponseParts, responseParts } from '../fetch/index.ts';
import { MADE_BY_SERVER } from '../http/fields.ts';
import { MadeReply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import { mustBeEmpty, reasonPhrase } from '../http/status.ts';

/**
 * Uses the response up; of its Connection field, `close` is obeyed (RFC 9112 §9.6). Throws a TypeError for what is no response, or has been
 * used. `isHead`: to a HEAD request.
 */
export function replyOf(response: unknown, isHead: boolean): Reply {
  const parts = responseParts(response);
  const { fields } = parts;
  let lines = '';
  let givenLength: string | null = null;
  let closes = false;
  for (let at = 0; at < fields.length; at += 3) {
    const lower = fields[at] as string;
    if (!MADE_BY_SERVER.has(lower)) lines += `${fields[at + 1]}: ${fields[at + 2]}\r\n`;
    else if (lower === 'content-length') givenLength = fields[at + 2] as string;
    else if (lower === 'connection') closes ||= CLOSE_OPTION.test(fields[at + 2] as string);
  }
  const reply = replyOfParts(parts, lines, givenLength, isHead);
  if (closes) reply.closes = true;
  return reply;
}

/** Among the options of a Connection field (RFC 9110 §7.6.1). */
const CLOSE_OPTION = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

function replyOfParts(parts: ResponseParts, lines: string, givenLength: string | null, isHead: boolean): Reply {
  const { status, statusText, content } = parts;
  const length = givenLength !== null && /^\d{1,15}$/.test(givenLength) ? Number(givenLength) : null;
  if (content === null || typeof content === 'string' || content instanceof Uint8Array) {
    // The length that a GET would have had (RFC 9110 §8.6).
    if (isHead && length !== null && !mustBeEmpty(status) && (content === null || content.length === 0)) {
      return new StreamReply(status, reasonOf(status, statusText), lines, NOTHING, length);
    }
    return new MadeReply(status, lines, content ?? '', statusText === '' ? null : statusText);
  }
  return new StreamReply(status, reasonOf(status, statusText), lines, content as StreamSource, lengthOf(parts, length));
}

const NOTHING: StreamSource = () => {};

function reasonOf(status: number, given: string): string {
  return given === '' ? reasonPhrase(status) : given;
}

/** A program that passes a response on knows the length; one with a coding of its own does not. */
function lengthOf({ fields, length }: ResponseParts, given: number | null): number | null {
  if (length !== null || given === null) return length;
  for (let at = 0; at < fields.length; at += 3) if (fields[at] === 'transfer-encoding') return null;
  return given;
}
