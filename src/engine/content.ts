/** Passes the content of a request to the handler, or drops it if it is not read. */
import type { Buffer } from 'node:buffer';
import { CONTINUE } from '../http/answer.ts';
import { Outcome } from '../http/outcome.ts';
import { ReplyKind } from '../http/reply.ts';
import { type Exchange, Reading, Responding } from './exchange.ts';
import type { Output } from './output.ts';
import type { RelayReply } from './relay.ts';

/** The result of reading content. */
export const Content = {
  /** All of it has been read. */
  complete: 0,
  /** The client must send more. */
  needMore: 1,
  /** The handler has not asked for it, or must first consume what it has. */
  unwanted: 2,
  /** The answer need not wait for it. */
  answerFirst: 3,
  refused: 4,
} as const;
export type ContentValue = (typeof Content)[keyof typeof Content];

/** Reads from bytes[exchange.position, end), for the handler or to drop it; moves `exchange.position`. */
export function readContent(
  exchange: Exchange,
  bytes: Buffer,
  end: number,
  maxDropped: number,
  output: Output,
): ContentValue {
  const { parser, relay } = exchange;
  if (relay !== null && exchange.responding !== Responding.done) return relayContent(exchange, relay, bytes, end);
  const { body } = exchange;
  const isDropped = isContentDropped(exchange);
  if (!isDropped && body === null) return Content.unwanted;
  if (exchange.responding === Responding.ready && answersFirst(exchange, maxDropped)) return Content.answerFirst;
  if (parser.expectsContinue) {
    parser.expectsContinue = false;
    // A client that sends without waiting needs no invitation.
    if (exchange.position === end) output.push(CONTINUE);
  }
  for (;;) {
    const outcome = parser.readBody(bytes, exchange.position, end);
    exchange.position = parser.position;
    switch (outcome) {
      case Outcome.content:
        if (isDropped) exchange.droppedBytes += parser.contentEnd - parser.contentStart;
        else body?.push(bytes, parser.contentStart, parser.contentEnd);
        break;
      case Outcome.complete:
        exchange.reading = Reading.done;
        body?.complete();
        return Content.complete;
      case Outcome.refused:
        body?.refuse(parser.refusalReason);
        return Content.refused;
      default:
        if (isDropped) return isEnough(exchange, maxDropped) ? Content.answerFirst : Content.needMore;
        return body?.isWanted === true ? Content.needMore : Content.unwanted;
    }
  }
}

/** A client that waits for an invitation gets that of the origin (RFC 9110 §10.1.1). */
function relayContent(exchange: Exchange, relay: RelayReply, bytes: Buffer, end: number): ContentValue {
  const { parser } = exchange;
  if (exchange.position < end) parser.expectsContinue = false;
  for (;;) {
    const outcome = parser.readBody(bytes, exchange.position, end);
    exchange.position = parser.position;
    if (parser.trailerStart >= 0) relay.pushTrailers(bytes, parser.trailerStart, parser.position);
    switch (outcome) {
      case Outcome.content:
        relay.push(bytes, parser.contentStart, parser.contentEnd);
        break;
      case Outcome.complete:
        exchange.reading = Reading.done;
        relay.complete();
        return Content.complete;
      case Outcome.refused:
        return Content.refused;
      default:
        relay.flush();
        return relay.isWanted ? Content.needMore : Content.unwanted;
    }
  }
}

/** It will not be read any more. */
function isContentDropped({ responding, reply, body }: Exchange): boolean {
  if (responding === Responding.done) return true;
  return responding === Responding.ready && (reply?.kind !== ReplyKind.stream || body === null);
}

/** Content of unknown length may have no end, and its reader has said that it wants none of what follows. */
function isEnough({ body, contentLength, droppedBytes }: Exchange, maxDropped: number): boolean {
  return droppedBytes > maxDropped || (contentLength < 0 && body?.isCancelled === true);
}

/** Too much would have to be dropped before the answer, or the handler answers while it reads. */
function answersFirst({ reply, body, parser, contentLength, droppedBytes }: Exchange, maxDropped: number): boolean {
  if (reply?.kind === ReplyKind.stream && body !== null) return true;
  if (maxDropped === Number.POSITIVE_INFINITY) return false;
  // A client that waits for an invitation need not send its content at all.
  return parser.expectsContinue || contentLength - droppedBytes > maxDropped;
}
