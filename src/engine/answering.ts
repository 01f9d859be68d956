/** From a request to its answer: the handler called, refusals and the beginnings of streams put out, the end told. */
import { refusalAnswer } from '../http/answer.ts';
import type { RefusalReason } from '../http/refusals.ts';
import { connectionFields, Persistence, type PersistenceValue } from '../http/reply.ts';
import type { ConnectionHost } from './connection-host.ts';
import { type Exchange, Responding } from './exchange.ts';
import { RequestError } from './request-error.ts';
import type { StreamReply } from './stream-reply.ts';
import { Framing, type FramingValue, framingField } from './stream-writer.ts';

/** Calls the handler for its answer or a promise of one. Returns why the request is refused, or null. */
export function callHandler(engine: ConnectionHost, exchange: Exchange): RefusalReason | null {
  if (engine.done !== null) exchange.startedAt = performance.now();
  try {
    const reply = engine.handler(exchange.view);
    if (reply instanceof Promise) {
      exchange.waitFor(reply);
    } else {
      exchange.reply = reply;
      exchange.responding = Responding.ready;
    }
  } catch (error) {
    return refusalOf(engine, error);
  }
  exchange.closeArrived();
  return exchange.refusalReason;
}

/** What an error of a handler means to the client; reported unless it was the client's own fault. */
export function refusalOf(engine: ConnectionHost, error: unknown): RefusalReason {
  if (error instanceof RequestError) return error.reason;
  engine.report(error);
  return 'handlerFailed';
}

/** The head of a streamed answer. */
export function putStreamHead(
  engine: ConnectionHost,
  reply: StreamReply,
  framing: FramingValue,
  persistence: PersistenceValue,
): void {
  const { output, clock } = engine;
  const { sharedFields } = clock;
  const fields = `${framingField(framing, reply.length)}${sharedFields.date}${connectionFields(sharedFields, persistence)}`;
  output.pushLatin1(`${reply.start}${fields}\r\n`);
}

/** The end of the head of an answer that is passed on. */
export function putRelayHead(
  engine: ConnectionHost,
  framing: FramingValue,
  length: number,
  hasDate: boolean,
  persistence: PersistenceValue,
): void {
  const { output, clock } = engine;
  const { sharedFields } = clock;
  if (framing !== Framing.length || length >= 0) output.pushLatin1(framingField(framing, length));
  if (!hasDate) output.pushLatin1(sharedFields.date);
  output.pushLatin1(connectionFields(sharedFields, persistence));
  output.pushLatin1('\r\n');
}

export function putRefusal(engine: ConnectionHost, reason: RefusalReason, isHead: boolean): void {
  refusalAnswer(reason).putInto(engine.output, engine.clock.sharedFields, Persistence.close, isHead);
}

/** Tells logs and metrics how an exchange has ended. */
export function tellDone(engine: ConnectionHost, exchange: Exchange, bytes: number, isAborted: boolean): void {
  if (engine.done === null) return;
  try {
    const ms = performance.now() - exchange.startedAt;
    engine.done(exchange.view, { status: exchange.reply?.status ?? 0, bytes, ms, isAborted });
  } catch (error) {
    engine.report(error);
  }
}
