/** The program from start to end: which command runs with what, and what is printed instead. Knows no option. */
import { chooseCommand } from './commands.ts';
import { warnOfVariables } from './own-variables.ts';
import type { Request } from './parse-arguments.ts';
import { plainSettings } from './plain-settings.ts';
import { ExitCode, type ExitCodeValue, type ProcessIO, printResult } from './process-io.ts';
import { startServer } from './start-server.ts';
import { UsageError } from './usage-error.ts';

/** Does what the arguments ask for; resolves with the exit code. */
export async function run(io: ProcessIO): Promise<ExitCodeValue> {
  const settings = plainSettings(io.args, io.environment);
  if (settings !== null) {
    warnOfVariables(io, false);
    return startServer(settings, io);
  }
  try {
    const { row, program, rest } = chooseCommand(io.args);
    const command = await row.load();
    const request =
      plainRequest(rest) ?? (await import('./parse-arguments.ts')).parseArguments(row, command, rest, program);
    switch (request.kind) {
      case 'command':
        // It runs every few seconds, and the server that it asks has told already.
        if (row.name !== 'healthcheck') warnOfVariables(io, row.name !== 'respond');
        return await command.run(request.line, io);
      case 'help':
        return printResult(io, `${request.text}\n`);
      case 'version': {
        const { versionJson, versionLine } = await import('./version.ts');
        return printResult(io, request.isJson ? versionJson(io.build) : versionLine(io.build));
      }
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.printError(`vrypt-server: ${error.message}\n`);
    return ExitCode.usage;
  }
}

/** What comes to no more than a word needs no commander, which takes 5 ms of 25. */
function plainRequest(args: readonly string[]): Request | null {
  const [only = ''] = args;
  if (args.length === 0) return { kind: 'command', line: { options: {}, positional: undefined, positionals: [] } };
  if (args.length > 1) return null;
  if (/^\d+$/.test(only)) return { kind: 'command', line: { options: {}, positional: only, positionals: [only] } };
  return only === '--version' ? { kind: 'version', isJson: false } : null;
}
