/** What a connection borrows from its engine. */
import type { Buffer } from 'node:buffer';
import type { AnswerEnd, Call, Handler } from './call.ts';
import type { Clock } from './clock.ts';
import type { Exchange, ExchangeHost } from './exchange.ts';
import type { TakeOver } from './hand-over.ts';
import type { EngineLimits } from './limits.ts';
import type { LiveConnection, OpenHttp2 } from './live-connection.ts';
import type { Output } from './output.ts';
import type { RequestView } from './request-view.ts';
import type { Transport, TransportSocket } from './transport.ts';

export interface ConnectionHost {
  readonly handler: Handler;
  readonly state: unknown;
  readonly limits: EngineLimits;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly output: Output;
  /** The deadline of a connection that becomes idle now. */
  readonly idleDeadline: number;
  /** Every answer after which nothing is waiting says "Connection: close". */
  readonly isClosing: boolean;
  readonly report: (error: unknown) => void;
  readonly done: ((call: Call, end: AnswerEnd) => void) | null;
  /** null: HTTP/2 is not spoken. */
  readonly openHttp2: OpenHttp2 | null;
  /** Requests under way; protocols without exchanges count their own. */
  countRequest(change: 1 | -1): void;
  /** What a handler is called with. */
  readonly makeView: () => RequestView;
  takeExchange(host: ExchangeHost): Exchange;
  returnExchange(exchange: Exchange): void;
  waitUntil(work: Promise<unknown>): void;
  /** Calls `listener` when a drain begins, or at once if it has begun; returns what takes it off again. */
  whenDraining(listener: () => void): () => void;
  /** Calls `listener` at every tick; returns what takes it off again. */
  everyTick(listener: (now: number) => void): () => void;
  /** One more request has been answered. */
  countAnswer(): void;
  /** From now on `socket` speaks another protocol, through what `take` returns. */
  handOver(connection: LiveConnection, socket: TransportSocket, leftover: Buffer, take: TakeOver): void;
  /** From now on `next` is in the place of `connection`, on the same socket. */
  replace(connection: LiveConnection, next: LiveConnection): void;
  /** The connection has closed. */
  forget(connection: LiveConnection): void;
}
