/** What the commands that need no configuration file have in common: they make the configuration that a file would hold. */
import type { ConfigInput } from '../web/config/schema.ts';
import { readConfigObject } from './config-file.ts';
import type { ExitCodeValue, ProcessIO } from './process-io.ts';
import { OPTION_ROWS } from './settings.ts';
import { ISOLATION_ROW, PID_FILE_ROW, PRINT_ROW, QUIET_ROW, serveOrPrint, type WebValues } from './web.ts';
import { mustBeGood } from './web-server.ts';

const [PORT_ROW, HOST_ROW] = OPTION_ROWS;
const WORKERS_ROW = OPTION_ROWS[3];

export const SERVER_ROWS = [
  PORT_ROW,
  HOST_ROW,
  WORKERS_ROW,
  ISOLATION_ROW,
  PID_FILE_ROW,
  PRINT_ROW,
  QUIET_ROW,
] as const;

/** What their rows come to. */
interface ServerValues {
  readonly port: number;
  readonly host: string | undefined;
  readonly workers: number | 'auto';
}

export function serverInput({ port, host, workers }: ServerValues): ConfigInput['server'] {
  return { http_port: port, workers, ...(host === undefined ? {} : { host }) };
}

/** Serves it, or prints it. */
export async function serveInput(input: ConfigInput, values: WebValues, io: ProcessIO): Promise<ExitCodeValue> {
  return serveOrPrint(mustBeGood(await readConfigObject(input, io.environment)), values, null, io);
}
