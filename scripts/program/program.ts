/** What the toolchain knows about a program that it packages: a row of data, nothing more. */

export interface Program {
  /** Of the executable, the archives and the folder inside them. */
  readonly name: string;
  /** Below the checkout. */
  readonly entry: string;
  /** Bundled first; its text is there for the entry as a string constant. */
  readonly worker: { readonly entry: string; readonly constant: string };
  /** Constants of the entry that hold the version, the commit, and the runtime of each target. */
  readonly stamps: { readonly version: string; readonly commit: string; readonly targets: string };
  /** Modules that the bundle replaces: name to file. */
  readonly replaced: Readonly<Record<string, string>>;
  /** The template of the archive's README.md. */
  readonly readme: string;
  /** What the smoke checks expect. */
  readonly expected: Expected;
}

export interface Expected {
  /** The line printed at start; group 1 is the port, group 2 the number of workers. */
  readonly ready: RegExp;
  /** The line printed at the end; group 1 is the signal. With the first one it is all that is ever printed. */
  readonly stopped: RegExp;
  readonly status: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Fields that depend on the moment and the connection; besides these and Content-Length there are none. */
  readonly otherFields: readonly string[];
  readonly content: string;
  /** Requests that must be refused, and the status of each. */
  readonly refusals: readonly { readonly request: string; readonly status: number }[];
  /** What --help must name. */
  readonly options: readonly string[];
}
