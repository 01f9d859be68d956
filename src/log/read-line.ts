/** One line of an access log, in any of the formats that we write, as what it says. Pure. */

export interface LoggedRequest {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly client: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  readonly status: number;
  readonly bytes: number;
  /** null: the format does not say. */
  readonly ms: number | null;
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
/** Apache's common format; combined has more behind it. */
const COMMON =
  /^(\S+) \S+ \S+ \[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+|-)/;

/** null: no line of an access log. */
export function readLogLine(line: string): LoggedRequest | null {
  return line.startsWith('{') ? readJson(line) : readCommon(line);
}

function readJson(line: string): LoggedRequest | null {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return null;
  }
  const { timestamp, remote_addr: client, method, path, status, bytes_sent: bytes, response_time_ms: ms } = entry;
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(time) || typeof path !== 'string' || typeof status !== 'number') return null;
  return {
    time,
    client: typeof client === 'string' ? client : '',
    method: typeof method === 'string' ? method : '',
    path: withoutQuery(path),
    status,
    bytes: typeof bytes === 'number' ? bytes : 0,
    ms: typeof ms === 'number' ? ms : null,
  };
}

function readCommon(line: string): LoggedRequest | null {
  const match = COMMON.exec(line);
  if (match === null) return null;
  const [, client = '', day, month = '', year, clock, zoneHours, zoneMinutes, request = '', status, bytes] = match;
  const number = MONTHS.indexOf(month) / 3 + 1;
  const time = Date.parse(`${year}-${String(number).padStart(2, '0')}-${day}T${clock}${zoneHours}:${zoneMinutes}`);
  if (Number.isNaN(time)) return null;
  const [method = '', target = ''] = request.split(' ', 2);
  return {
    ...{ time, client, method, path: withoutQuery(target), status: Number(status) },
    bytes: bytes === '-' ? 0 : Number(bytes),
    ms: null,
  };
}

function withoutQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
