/** The manual page of a program, in section 1: man(7). Pure. */
import type { Command, CommandLine, Option } from './command-line.ts';

export interface PageFacts {
  readonly name: string;
  readonly version: string;
  /** Seconds since 1970. */
  readonly time: number;
}

export function manPage({ name, version, time }: PageFacts, line: CommandLine): string {
  const [first, ...others] = line.commands;
  if (first === undefined) throw new TypeError('a command line has a command');
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  return [
    `.TH ${name.toUpperCase()} 1 ${date} "${name} ${version}" "User Commands"`,
    '.SH NAME',
    `${name} \\- ${roff(line.summary)}`,
    '.SH SYNOPSIS',
    `.B ${roff(name)}`,
    `.RI [ ${first.positional} ]`,
    '[options]',
    ...others.flatMap((command) => [
      '.br',
      `.B ${roff(`${name} ${command.name}`)}`,
      `.RI [ ${command.positional} ]`,
      '[options]',
    ]),
    '.SH DESCRIPTION',
    ...paragraphs(line.description),
    '.SH OPTIONS',
    ...optionsOf(first),
    ...others.flatMap((command) => [
      `.SH ${roff(command.name.toUpperCase())}`,
      ...paragraphs([command.description]),
      ...optionsOf(command),
      ...notesOf(command),
    ]),
    '.SH EXIT STATUS',
    ...line.exitCodes.flatMap(({ code, meaning }) => ['.TP', `.B ${roff(code)}`, roff(meaning)]),
    '.SH SIGNALS',
    ...paragraphs(line.signals),
    '.SH ENVIRONMENT',
    ...paragraphs(
      [
        `Every option can also be set as a variable: \\fB\\-\\-name\\fR is \\fB${line.variablePrefix}NAME\\fR, with _ for \\-. What is typed wins. An empty variable counts as unset.`,
      ],
      false,
    ),
    '',
  ].join('\n');
}

function optionsOf({ options, positional, positionalHelp }: Command): string[] {
  const common: readonly Option[] = [
    { name: 'help', short: 'h', help: 'print the options' },
    { name: 'version', short: 'V', help: 'print the version' },
    { name: 'json', help: 'with --version: all versions inside, as JSON' },
  ];
  const rows = [...options, ...common].flatMap((option) => ['.TP', heading(option), roff(helpOf(option))]);
  return ['.TP', `.I ${roff(positional)}`, roff(positionalHelp), ...rows];
}

function heading({ name, short, value }: Option): string {
  const names = [...(short === undefined ? [] : [`-${short}`]), `--${name}`]
    .map((each) => `\\fB${roff(each)}\\fR`)
    .join(', ');
  return value === undefined ? names : `${names} \\fI${roff(value)}\\fR`;
}

function helpOf({ help, default: standard }: Option): string {
  return standard === undefined ? help : `${help} (default: ${standard})`;
}

function notesOf({ notes }: Command): string[] {
  if (notes.trim() === '') return [];
  return ['.PP', '.nf', ...notes.trimEnd().split('\n').map(roff), '.fi'];
}

function paragraphs(texts: readonly string[], isPlain = true): string[] {
  return texts.flatMap((text) => ['.PP', isPlain ? roff(text) : text]);
}

/** A dot or a quote at the start of a line is a request, a minus may become a hyphen, a backslash begins an escape. */
function roff(text: string): string {
  const safe = text
    .replaceAll('\\', '\\(rs')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
  return safe.replace(/^\./, '\\&.');
}
