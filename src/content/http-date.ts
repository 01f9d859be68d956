/**
 * HTTP dates (RFC 9110 §5.6.7) to and from milliseconds since 1970. Writes IMF-fixdate; also reads the two obsolete forms. Not
 * with Date.parse, which accepts far more than the grammar.
 */
const DAYS: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LONG_DAYS: readonly string[] = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const FIFTY_YEARS = 50;

/** IMF-fixdate, as in `Sun, 06 Nov 1994 08:49:37 GMT`. Drops fractions of a second. */
export function formatHttpDate(ms: number): string {
  // ECMA-262 §21.4.4.43 fixes toUTCString to exactly this form for the years 0 to 9999.
  return new Date(ms).toUTCString();
}

/** Milliseconds since 1970; null if `text` is not an HTTP date. The name of the day must be valid, but need not match the date. */
export function parseHttpDate(text: string, now: number = Date.now()): number | null {
  const comma = text.indexOf(',');
  if (comma === 3) return parseFixdate(text);
  return comma < 0 ? parseAsctime(text) : parseRfc850(text, comma, now);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` */
function parseFixdate(text: string): number | null {
  if (text.length !== 29 || !DAYS.includes(text.slice(0, 3)) || !text.endsWith(' GMT')) return null;
  if (text[4] !== ' ' || text[7] !== ' ' || text[11] !== ' ' || text[16] !== ' ') return null;
  return dateOf(digits(text, 12, 4), monthAt(text, 8), digits(text, 5, 2), timeAt(text, 17));
}

/** `Sunday, 06-Nov-94 08:49:37 GMT` */
function parseRfc850(text: string, comma: number, now: number): number | null {
  if (!LONG_DAYS.includes(text.slice(0, comma)) || text.length !== comma + 24 || !text.endsWith(' GMT')) return null;
  const at = comma + 2;
  if (text[comma + 1] !== ' ' || text[at + 2] !== '-' || text[at + 6] !== '-' || text[at + 9] !== ' ') return null;
  const shortYear = digits(text, at + 7, 2);
  if (shortYear < 0) return null;
  // A date more than 50 years ahead means the most recent past year with these digits (RFC 9110 §5.6.7).
  const thisYear = new Date(now).getUTCFullYear();
  let year = thisYear - (thisYear % 100) + shortYear;
  if (year > thisYear + FIFTY_YEARS) year -= 100;
  return dateOf(year, monthAt(text, at + 3), digits(text, at, 2), timeAt(text, at + 10));
}

/** `Sun Nov  6 08:49:37 1994` */
function parseAsctime(text: string): number | null {
  if (text.length !== 24 || !DAYS.includes(text.slice(0, 3))) return null;
  if (text[3] !== ' ' || text[7] !== ' ' || text[10] !== ' ' || text[19] !== ' ') return null;
  const day = text[8] === ' ' ? digits(text, 9, 1) : digits(text, 8, 2);
  return dateOf(digits(text, 20, 4), monthAt(text, 4), day, timeAt(text, 11));
}

function dateOf(year: number, month: number, day: number, time: number): number | null {
  if (year < 0 || month < 0 || day < 1 || time < 0) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month, day);
  // Date would turn February 31 into March 3.
  return midnight.getUTCDate() === day ? midnight.getTime() + time : null;
}

/** `08:49:37` in milliseconds, or -1. Accepts a leap second. */
function timeAt(text: string, at: number): number {
  const hours = digits(text, at, 2);
  const minutes = digits(text, at + 3, 2);
  const seconds = digits(text, at + 6, 2);
  if (hours < 0 || minutes < 0 || seconds < 0 || text[at + 2] !== ':' || text[at + 5] !== ':') return -1;
  return hours > 23 || minutes > 59 || seconds > 60 ? -1 : ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** 0 to 11, or -1. */
function monthAt(text: string, at: number): number {
  const found = MONTHS.indexOf(text.slice(at, at + 3));
  return found % 3 === 0 ? found / 3 : -1;
}

/** The number that `count` digits make, or -1. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}
