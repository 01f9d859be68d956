/** One client: how answers that somebody else gives are passed on to it. */
import type { Reply } from '../http/reply.ts';
import { Persistence } from '../http/reply.ts';
import { putRelayHead } from './answering.ts';
import { AnsweringConnection } from './answering-connection.ts';
import { Reading, Responding } from './exchange.ts';
import { Phase } from './phase.ts';
import type { RelayHost, RelayReply } from './relay.ts';
import { Framing, type FramingValue, framingOf } from './stream-writer.ts';

export abstract class RelayingConnection extends AnsweringConnection implements RelayHost {
  get isToHead(): boolean {
    return this.exchange?.parser.isHead === true;
  }

  get requestLength(): number {
    return this.exchange?.contentLength ?? 0;
  }

  get minorVersion(): number {
    return this.exchange?.parser.line.minorVersion ?? 1;
  }

  endHead(relay: RelayReply, length: number, hasContent: boolean, hasDate: boolean): FramingValue {
    const { exchange } = this;
    if (exchange?.relay !== relay) return relay.framing;
    const framing = framingOf(hasContent && length < 0 ? null : length, exchange.parser.line.minorVersion);
    // Of a request that is not complete nobody knows whether it ever will be.
    const closes =
      this.closesAfter(exchange, this.unparsed === null) ||
      exchange.reading === Reading.content ||
      framing === Framing.close;
    this.persistence = closes ? Persistence.close : Persistence.keepAlive;
    putRelayHead(this.engine, framing, length, hasDate, this.persistence);
    exchange.responding = Responding.streaming;
    if (this.phase === Phase.handler) this.wait(Phase.stream);
    return framing;
  }

  answerInstead(relay: RelayReply, reply: Reply): void {
    const { exchange } = this;
    if (exchange?.relay !== relay) {
      reply.discard();
      return;
    }
    exchange.replaceRelay(reply);
    if (!this.isProcessing && this.phase !== Phase.send) this.continue();
  }

  cutOffRelay(relay: RelayReply): void {
    if (this.exchange?.relay === relay) this.cutOff();
  }
}
