/** Whole answers as HTTP/2 sends them. Those that are sent often are taken apart once a second, because of Date. */
import type { Buffer } from 'node:buffer';
import { Persistence, type SharedFields, type WholeReply } from '../http/reply.ts';
import { type ResponseFields, responseFields, TakenApart } from './http2-fields.ts';

export interface PreparedAnswer {
  readonly fields: ResponseFields;
  readonly content: Buffer;
  /** The fields as HTTP/2 writes them, once it has. */
  section: Buffer | null;
}

interface Kept extends PreparedAnswer {
  readonly shared: SharedFields;
}

const kept = new WeakMap<WholeReply, Kept>();

export function prepared(reply: WholeReply, shared: SharedFields, isHead: boolean): PreparedAnswer {
  const isKept = reply.isLasting && !isHead;
  if (isKept) {
    const known = kept.get(reply);
    if (known?.shared === shared) return known;
  }
  const apart = new TakenApart();
  reply.putInto(apart, shared, Persistence.keepAlive, isHead);
  const answer = { fields: responseFields(reply.status, apart.lines), content: apart.content, shared, section: null };
  if (isKept) kept.set(reply, answer);
  return answer;
}
