/** Server-sent events as text (HTML Standard §9.2.5). Owns nothing. */

export interface EventOptions {
  /** The name. Default: none, which means "message". */
  readonly event?: string;
  /** Comes back as Last-Event-ID when the client reconnects. Default: none. */
  readonly id?: string;
  /** Milliseconds after which the client reconnects. Default: what the client takes for it, mostly 3 s. */
  readonly retry?: number;
}

/** A comment, which clients ignore. */
export const HEARTBEAT = ':\n\n';

/** Throws a RangeError for a name or id that would end its line, or an id that clients ignore. */
export function eventText(data: string, { event, id, retry }: EventOptions = {}): string {
  let text = '';
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
  if (id !== undefined) {
    if (id.includes('\0')) throw new RangeError(`the id of an event must not hold NUL, got ${JSON.stringify(id)}`);
    text += `id: ${oneLine('id', id)}\n`;
  }
  if (retry !== undefined) {
    if (!Number.isSafeInteger(retry) || retry < 0) {
      throw new RangeError(`retry must be a whole number of milliseconds, got ${retry}`);
    }
    text += `retry: ${retry}\n`;
  }
  if (!data.includes('\n') && !data.includes('\r')) return `${text}data: ${data}\n\n`;
  for (const line of data.split(/\r\n|\r|\n/)) text += `data: ${line}\n`;
  return `${text}\n`;
}

function oneLine(name: string, value: string): string {
  if (value.includes('\n') || value.includes('\r')) {
    throw new RangeError(`the ${name} of an event must be one line, got ${JSON.stringify(value)}`);
  }
  return value;
}
