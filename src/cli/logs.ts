/** The command `logs`: what an access log comes to, and what happens in it now. */
import { createReadStream } from 'node:fs';
import { isatty, WriteStream } from 'node:tty';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { FollowedFile } from '../log/follow.ts';
import { LiveView } from '../log/live-view.ts';
import { readLogLine } from '../log/read-line.ts';
import { LogSummary, SUMMARY_KEYS, type SummaryKey } from '../log/summary.ts';
import { oneOf, wholeNumber } from '../rules/rules.ts';
import type { Command } from './commands.ts';
import { type OptionRow, resolveOptions } from './options.ts';
import { ExitCode, type ExitCodeValue, type ProcessIO, printResult } from './process-io.ts';
import { watchSignals } from './signals.ts';
import { UsageError } from './usage-error.ts';

const ROWS = [
  { name: 'by', rule: oneOf(...SUMMARY_KEYS), default: 'hour', help: 'report: what requests are added up by' },
  {
    name: 'most',
    rule: wholeNumber(1, 100_000),
    default: '1000',
    help: 'report: groups that are shown at most, those with the most requests',
  },
] as const satisfies readonly OptionRow[];

const STDOUT = 1;
const LOOK_MS = 1000;
/** Longer ones are no lines of an access log. */
const LONGEST_LINE = 1024 * 1024;
/** The alternative screen without a cursor, and back. */
const [ENTER, LEAVE, HOME, REST] = ['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l', '\x1b[H', '\x1b[J'];

export const logs: Command = {
  description: 'Adds up access logs, or shows what happens in one now. All formats that the server writes are read.',
  rows: ROWS,
  positionalHelp: 'report or top, and the logs; those that end in .gz or .zst are decompressed',
  notes: `Examples:
  vrypt-server logs report access.log --by hour
  vrypt-server logs report access.log.*.gz access.log --by path --most 20
  vrypt-server logs top access.log          live, until Ctrl+C
`,
  run: async ({ options, positionals }, io) => {
    const { values } = resolveOptions(ROWS, options, io.environment);
    const [what, ...files] = positionals;
    if (what !== 'report' && what !== 'top') {
      throw new UsageError(
        `logs must be told report or top, got ${what === undefined ? 'nothing' : JSON.stringify(what)}`,
      );
    }
    if (files.length === 0) throw new UsageError(`logs ${what} must be given a file`);
    if (what === 'report') return report(files, values.by, values.most, io);
    if (files.length > 1) throw new UsageError(`logs top must be given one file, got ${files.length}`);
    return top(files[0] as string, io);
  },
};

async function report(files: readonly string[], by: SummaryKey, most: number, io: ProcessIO): Promise<ExitCodeValue> {
  const summary = new LogSummary(by);
  let unread = 0;
  for (const file of files) {
    try {
      for await (const line of linesOf(file)) {
        const request = readLogLine(line);
        if (request !== null) summary.add(request);
        else if (line !== '') unread++;
      }
    } catch (error) {
      return failed(file, error, io);
    }
  }
  if (unread > 0) io.printError(`vrypt-server: ${unread} lines are no lines of an access log, and were left out\n`);
  return printResult(io, summary.table(most));
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const bytes = createReadStream(file);
  const decoder = file.endsWith('.gz') ? createGunzip() : file.endsWith('.zst') ? createZstdDecompress() : null;
  if (decoder !== null) bytes.on('error', (error) => decoder.destroy(error)).pipe(decoder);
  const text = (decoder ?? bytes).setEncoding('utf8');
  let rest = '';
  for await (const piece of text as AsyncIterable<string>) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() as string;
    if (rest.length > LONGEST_LINE) rest = '';
    yield* lines;
  }
  yield rest;
}

async function top(file: string, io: ProcessIO): Promise<ExitCodeValue> {
  if (!isatty(STDOUT)) throw new UsageError('logs top must be started on a terminal; logs report prints to anything');
  let followed: FollowedFile;
  try {
    followed = new FollowedFile(file);
  } catch (error) {
    return failed(file, error, io);
  }
  const view = new LiveView();
  const terminal = new WriteStream(STDOUT);
  const show = () => {
    for (const line of followed.read()) {
      const request = readLogLine(line);
      if (request !== null) view.add(request);
    }
    const text = view.next(terminal.rows || 24, terminal.columns || 80);
    io.print(`${HOME}${text.replaceAll('\n', '\x1b[K\n')}\x1b[K${REST}`);
  };
  io.print(ENTER);
  show();
  const timer = setInterval(show, LOOK_MS);
  await watchSignals().first;
  clearInterval(timer);
  io.print(LEAVE);
  followed.close();
  return ExitCode.ok;
}

function failed(file: string, error: unknown, io: ProcessIO): ExitCodeValue {
  const { code, message } = error as NodeJS.ErrnoException;
  io.printError(`vrypt-server: ${file} cannot be read (${code ?? message})\n`);
  return ExitCode.failed;
}
