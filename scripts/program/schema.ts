/**
 * What a program's description (`vrypt.release.json`, or the field `vrypt` of its package.json) may say: the one home of its
 * fields. The committed JSON Schema is this object, and `check.ts` interprets it.
 */

export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | false;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly anyOf?: readonly Schema[];
}

const text = (description: string, rest: Omit<Schema, 'type' | 'description'> = {}): Schema => ({
  description,
  type: 'string',
  ...rest,
});
const list = (description: string, items: Schema = { type: 'string' }): Schema => ({
  description,
  type: 'array',
  items,
});
const record = (description: string, values: Schema = { type: 'string' }): Schema => ({
  description,
  type: 'object',
  additionalProperties: values,
});
const object = (
  description: string,
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema => ({ description, type: 'object', properties, required, additionalProperties: false });

const question = object('A request, and what the answer must be.', {
  method: text('Default: GET.', { pattern: '^[A-Z]+$' }),
  path: text('Default: /.', { pattern: '^/' }),
  headers: record('Fields of the request.'),
  body: text('Content of the request.'),
  status: { description: 'Default: 200.', type: 'integer', minimum: 100 },
  content: text('The whole content of the answer.'),
  contains: text('A part of the content.'),
});

const session = object('How the program is started, what it must do, and how it ends.', {
  args: list('Arguments; {port} stands for a free port. Default: none.'),
  env: record('Environment variables; {port} as in args. Nothing else but PATH is set.'),
  ready: text('A regular expression: the line on standard output that says it is ready. Default: its port is open.'),
  ask: list('Requests to a server, one after the other.', question),
  prints: list('Texts that standard output or standard error must contain when the program has ended.'),
  stop: text('The signal that ends a server. Default: SIGTERM.', { enum: ['SIGTERM', 'SIGINT'] }),
  exitCode: { description: 'Default: 0; for a server, ended by the signal is as good.', type: 'integer', minimum: 0 },
  writesNothing: { description: 'A server must leave its folder as it was. Default: false.', type: 'boolean' },
  module: text('A module whose export `checks` has further checks of a server.'),
});

const budget = object('Bytes; one more is a failure.', {
  executable: { type: 'integer', minimum: 1 },
  archive: { type: 'integer', minimum: 1 },
});

const oneFile = object(
  'Bundles everything into one CommonJS file, minified: the fastest start, for programs whose code allows it.',
  {
    texts: record('Modules that are bundled first; the entry gets their code as a string constant of this name.'),
    stamps: object('Constants of the entry that get a value.', {
      version: text("The program's version."),
      commit: text('The commit.'),
      targets: text('The triple and the runtime of each target, by architecture and C library.'),
    }),
    replaced: record('Modules that the bundle replaces: name to file.'),
    plain: text(
      'A constant of all code, true where it must be small: esbuild leaves out what depends on it. The same entry without it, undefined, becomes the asset `whole`, for the entry to run (node:sea) when that is asked for.',
      { pattern: '^[A-Z_][A-Z0-9_]*$' },
    ),
  },
);

const service = object(
  'It is a server: how systemd and OpenRC start it.',
  {
    args: list('Default: none.'),
    port: { description: 'Where it listens without settings.', type: 'integer', minimum: 1 },
    takesSocket: { description: 'It takes a socket from systemd (LISTEN_FDS). Default: false.', type: 'boolean' },
    notifies: {
      description:
        "It tells systemd when it listens and that it lives (NOTIFY_SOCKET, WATCHDOG_USEC), by the runtime's binding: a target whose runtime lacks it gets a unit without that. Default: false.",
      type: 'boolean',
    },
    environment: list('Examples in its environment file: NAME=value.', {
      type: 'string',
      pattern: '^[A-Z_][A-Z0-9_]*=',
    }),
  },
  ['port'],
);

const systemPackage = object(
  'Makes it a deb, an rpm and an apk, and says what they say.',
  {
    summary: text('A few words. Default: the description in package.json.', { pattern: '^[^\\n]{1,80}$' }),
    description: text('Paragraphs between empty lines. Default: the summary.'),
    maintainer: text('Name and address.', { pattern: '^[^<>\\n]+ <[^<>@ ]+@[^<>@ ]+>$' }),
    homepage: text('Default: homepage in package.json.', { pattern: '^https?://' }),
    license: text('An SPDX expression. Default: license in package.json.'),
    service,
  },
  ['maintainer'],
);

const image = object('Makes it a container image for all platforms, from the static executables. Needs `package`.', {
  healthcheck: list('Arguments of the executable that ask the server in the same container. Default: no check.'),
});

const npm = object(
  'Makes npm packages of the executables and a launcher, <scope>/cli. Needs `package`.',
  {
    scope: text('With its @.', { pattern: '^@[a-z0-9][a-z0-9._-]*$' }),
  },
  ['scope'],
);

export const schema: Schema = object('A Node program that is packaged as one file for every Linux.', {
  $schema: text('Where this schema is.'),
  name: text('Of the executable, the archives and the folder inside them. Default: the name in package.json.', {
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
  }),
  version: text('Default: the version in package.json.', { pattern: '^[0-9A-Za-z][0-9A-Za-z.+-]*$' }),
  entry: text('TypeScript or JavaScript, ESM or CommonJS. Default: bin or main of package.json.'),
  workers: list('Further modules that the program starts by name, in threads or processes.'),
  assets: list('Files, folders and patterns that the program reads at run time beside its code.'),
  packages: list('npm packages that go along though neither an import nor package.json names them.'),
  without: list('npm packages, files and patterns that stay out.'),
  addons: record(
    'Native addons of a target: its triple to the files that take the place of those in node_modules.',
    record('The path that the program loads, to the file that is built for this target.'),
  ),
  oneFile,
  environment: text('closed (default): variables that make Node load code or write files have no effect.', {
    enum: ['closed', 'open'],
  }),
  execArgv: list("Options of Node, as if typed before the program's name."),
  licenses: list('License files of the program. Default: LICENSE and the like.'),
  readme: text('The template of the README.md in the archives. Default: a short one.'),
  archive: list('Further files of the archives.'),
  commandLine: text(
    'A module whose export `commandLine` describes commands and options: a manual page and completions are made from it.',
  ),
  package: systemPackage,
  image,
  npm,
  targets: list('The triples to make. Default: all that have a runtime and can carry the program.'),
  budget,
  smoke: {
    description: 'Default: it is started; a server must answer GET / with a status below 500 and end at SIGTERM.',
    anyOf: [session, { type: 'array', items: session, minItems: 1 }],
  },
  out: text('The folder of a release. Default: release.'),
});

/** As it is committed, for editors. */
export function schemaText(): string {
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'vrypt.release.json' };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}
