/** An answer after which the connection speaks another protocol (RFC 9110 §7.8), or is a tunnel. */
import type { Buffer } from 'node:buffer';
import { type Fields, pairsOf } from '../http/fields.ts';
import { Reply, ReplyKind } from '../http/reply.ts';
import { statusLine } from '../http/status.ts';
import type { LiveConnection } from './live-connection.ts';
import type { SocketOwner, Transport, TransportSocket } from './transport.ts';

/** What the new owner of a socket receives. */
export interface HandedOver {
  readonly transport: Transport;
  readonly socket: TransportSocket;
  /** The engine's clock, in milliseconds. */
  readonly now: () => number;
  readonly report: (error: unknown) => void;
  /** Must be called once, when the connection has closed. */
  readonly forget: (connection: LiveConnection) => void;
}

/** Speaks another protocol on a connection. */
export interface NewOwner extends LiveConnection, SocketOwner {
  /** Called once it owns the connection; `leftover` arrived after the request; ownership passes to the callee. */
  begin(leftover: Buffer): void;
}

/** Called right after the answer was written. */
export type TakeOver = (connection: HandedOver) => NewOwner;

export class HandOverReply extends Reply {
  readonly status = 101;
  /** The whole head; '' if the new owner sends it. */
  readonly head: string;
  readonly take: TakeOver;

  /** `fields` name the protocol in Upgrade; Connection is made here. Without fields nothing is sent: the new owner answers. */
  constructor(fields: Fields, take: TakeOver) {
    super();
    let lines = '';
    for (const [name, value] of pairsOf(fields)) lines += `${name}: ${value}\r\n`;
    this.head = lines === '' ? '' : `${statusLine(101)}Connection: Upgrade\r\n${lines}\r\n`;
    this.take = take;
  }

  get kind(): typeof ReplyKind.handOver {
    return ReplyKind.handOver;
  }
}
