/** Completions of bash, zsh and fish for a program's command line. Pure. */
import type { Command, CommandLine, Option } from './command-line.ts';

const common: readonly Option[] = [
  { name: 'help', short: 'h', help: 'print the options' },
  { name: 'version', short: 'V', help: 'print the version' },
];

export function bashCompletion(name: string, { commands }: CommandLine): string {
  const [first, ...others] = commands;
  const cases = [...others, first].map((command) => {
    const options = all(command);
    const files = options.filter(takesFile).flatMap(flagsOf);
    const values = options.filter((option) => option.value !== undefined && !takesFile(option)).flatMap(flagsOf);
    const pattern = command === first ? '*' : command?.name;
    return `    ${pattern})
      files=' ${files.join(' ')} ' values=' ${values.join(' ')} '
      words='${options.map((option) => `--${option.name}`).join(' ')}' ;;`;
  });
  return `# bash completion for ${name}
${functionOf(name)}() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} files values words
  COMPREPLY=()
  case \${COMP_WORDS[1]-} in
${cases.join('\n')}
  esac
  if [[ $files == *" $previous "* ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -- "$word")
    return
  fi
  [[ $values == *" $previous "* ]] && return
  [[ $COMP_CWORD -eq 1 && $word != -* ]] && words='${commands.map((command) => command.name).join(' ')}'
  while IFS= read -r match; do COMPREPLY+=("$match"); done < <(compgen -W "$words" -- "$word")
}
complete -F ${functionOf(name)} ${name}
`;
}

export function zshCompletion(name: string, { commands }: CommandLine): string {
  const [first, ...others] = commands;
  const cases = [...others, first].map((command) => {
    const rows = [...all(command).map(zshOption), zshPositional(command)].map((spec) => `      ${spec}`);
    return `    ${command === first ? '*' : command?.name})\n      _arguments -s \\\n${rows.join(' \\\n')} ;;`;
  });
  const list = commands.map((command) => `    ${quoted(`${command.name}:${command.summary}`)}`);
  return `#compdef ${name}
${functionOf(name)}() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe -t commands command commands
    return
  fi
  # _arguments offers nothing behind a word that it does not know, such as the command.
  local command=$words[2]
  if [[ -n $command && $command != -* ]]; then
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${cases.join('\n')}
  esac
}
${functionOf(name)} "$@"
`;
}

export function fishCompletion(name: string, { commands }: CommandLine): string {
  const [first, ...others] = commands;
  const other = others.map((command) => command.name).join(' ');
  const lines = [
    `complete -c ${name} -f`,
    ...commands.map(
      (command) => `complete -c ${name} -n __fish_use_subcommand -a ${command.name} -d ${quoted(command.summary)}`,
    ),
    ...commands.flatMap((command) => {
      const when =
        command === first ? `not __fish_seen_subcommand_from ${other}` : `__fish_seen_subcommand_from ${command.name}`;
      return all(command).map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short}`;
        const value = option.value === undefined ? '' : takesFile(option) ? ' -r -F' : ' -x';
        return `complete -c ${name} -n ${quoted(when)} -l ${option.name}${short}${value} -d ${quoted(option.help)}`;
      });
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function all(command: Command | undefined): readonly Option[] {
  return [...(command?.options ?? []), ...common];
}

function takesFile({ value }: Option): boolean {
  return isFile(value);
}

function isFile(value: string | undefined): boolean {
  return value === 'path' || value === 'file' || value === 'folder' || value === 'directory';
}

function flagsOf({ name, short }: Option): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

function zshPositional(command: Command | undefined): string {
  const value = command?.positional ?? 'argument';
  return quoted(`*:${value}:${isFile(value) ? '_files' : ' '}`);
}

function zshOption({ name, short, value, help }: Option): string {
  const text = help.replaceAll(/[[\]\\:]/g, '\\$&');
  const after = value === undefined ? '' : `:${value}:${isFile(value) ? '_files' : ' '}`;
  const one = `--${name}[${text}]${after}`;
  if (short === undefined) return quoted(one);
  return `'(-${short} --${name})'{-${short},--${name}}${quoted(`[${text}]${after}`)}`;
}

/** In single quotes, as bash, zsh and fish read them: none of their escapes is the same, so a quote ends and begins anew. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

function functionOf(name: string): string {
  return `_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}
