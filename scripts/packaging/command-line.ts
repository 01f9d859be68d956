/** A program's command line as data: its manual page and its completions are made from it. */

export interface CommandLine {
  /** What the program is, in a few words, for the first line of its manual page. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  /** The first one runs when none is typed. */
  readonly commands: readonly Command[];
  readonly exitCodes: readonly { readonly code: string; readonly meaning: string }[];
  /** Paragraphs about what signals do. */
  readonly signals: readonly string[];
  /** Before the name of an option in capitals: the variable that sets it. */
  readonly variablePrefix: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Of its one argument without a name. */
  readonly positional: string;
  readonly positionalHelp: string;
  readonly notes: string;
  readonly options: readonly Option[];
}

export interface Option {
  readonly name: string;
  readonly short?: string | undefined;
  /** What its value is called; undefined: a switch. */
  readonly value?: string | undefined;
  readonly default?: string | undefined;
  readonly help: string;
}
