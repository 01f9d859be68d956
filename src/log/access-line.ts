/**
 * One line of an access log for one request, in three formats. What clients choose is escaped, so that nobody can end a line, or
 * forge one: in text as \xHH, as Apache does, in JSON as JSON does.
 */
import type { AnswerEnd, Call } from '../engine/call.ts';

export type LogFormat = 'common' | 'combined' | 'json';

/** A line with its LF. `now` is in milliseconds since 1970. */
export type WriteLine = (call: Call, end: AnswerEnd, client: string, requestId: string, now: number) => string;

export function lineWriter(format: LogFormat): WriteLine {
  if (format === 'json') return jsonLine;
  return format === 'common' ? (...entry) => `${commonLine(...entry)}\n` : combinedLine;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

let second = -1;
let secondText = '';

/** `09/Aug/2025:10:15:32 +0000`, made once a second. */
export function clfTime(now: number): string {
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    const date = new Date(now);
    const two = (number: number) => String(number).padStart(2, '0');
    const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
    secondText = `${day}:${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
  }
  return secondText;
}

let isoSecond = -1;
let isoText = '';
let isoNow = -1;
let isoNowText = '';

/** `2025-08-09T10:15:32.123Z`: many requests are of one millisecond, and all but that is made once a second. */
function isoTime(now: number): string {
  if (now === isoNow) return isoNowText;
  const current = Math.floor(now / 1000);
  if (current !== isoSecond) {
    isoSecond = current;
    isoText = new Date(current * 1000).toISOString().slice(0, -4);
  }
  isoNow = now;
  isoNowText = `${isoText}${threeDigits(now - current * 1000)}Z`;
  return isoNowText;
}

/** To the microsecond, with whole numbers: a fraction's shortest form takes 100 ns to find. */
function millis(ms: number): string {
  const micros = Math.round(ms * 1000);
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  return rest === 0 ? `${whole}` : `${whole}.${threeDigits(rest)}`;
}

function threeDigits(number: number): string {
  return number > 99 ? `${number}` : number > 9 ? `0${number}` : `00${number}`;
}

function commonLine(call: Call, { status, bytes }: AnswerEnd, client: string, _: string, now: number): string {
  const request = `${escaped(call.method)} ${escaped(call.target)} HTTP/${call.version}`;
  return `${client === '' ? 'unix:' : client} - - [${clfTime(now)}] "${request}" ${status} ${bytes === 0 ? '-' : bytes}`;
}

function combinedLine(call: Call, end: AnswerEnd, client: string, requestId: string, now: number): string {
  const referer = escaped(call.header('referer') ?? '-');
  const agent = escaped(call.header('user-agent') ?? '-');
  return `${commonLine(call, end, client, requestId, now)} "${referer}" "${agent}"\n`;
}

/** A value that mostly is the same as in the line before: its text is looked at once. */
class Recent {
  #value = '';
  #quoted = '""';

  quoted(value: string): string {
    if (value !== this.#value) {
      this.#quoted = quoted(value);
      this.#value = value;
    }
    return this.#quoted;
  }
}

const clients = new Recent();
const hosts = new Recent();
const agents = new Recent();

function jsonLine(
  call: Call,
  { status, bytes, ms, isAborted }: AnswerEnd,
  client: string,
  requestId: string,
  now: number,
): string {
  const host = hosts.quoted(call.header('host') ?? '');
  const agent = agents.quoted(call.header('user-agent') ?? '');
  const about =
    `{"timestamp":"${isoTime(now)}","remote_addr":${clients.quoted(client)},"method":${quoted(call.method)},"path":${quoted(call.target)}` +
    `,"protocol":"HTTP/${call.version}","host":${host},"status":${status}` +
    `,"response_time_ms":${millis(ms)},"bytes_sent":${bytes},"request_id":${quoted(requestId)}` +
    `,"user_agent":${agent},"referer":${quoted(call.header('referer') ?? '')}`;
  const trace = traceOf(call.header('traceparent'));
  const traced = trace === '' ? '' : `,"trace_id":"${trace}"`;
  return `${about}${traced}${isAborted ? ',"aborted":true' : ''}}\n`;
}

/** W3C Trace Context §3.2: version, trace, parent, flags. */
function traceOf(traceparent: string | null): string {
  if (traceparent === null) return '';
  const [, trace] = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent) ?? [];
  return trace ?? '';
}

function escaped(text: string): string {
  return isPlain(text) ? text : text.replace(/[^\x20-\x7e]|["\\]/g, hex);
}

/** As JSON has it, in ASCII: some readers take U+0085 for the end of a line. */
function quoted(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text).replace(/[\x7f-\xff]/g, unicode);
}

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false;
  }
  return true;
}

function hex(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function unicode(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16)}`;
}
