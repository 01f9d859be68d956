/** `file()` and `files()`: what src/files plans, as answers of the engine. Owns this worker's cache of single files. */
import { Directory } from '../files/directory.ts';
import type { DirectoryOptions, FileCacheLimits } from '../files/directory-options.ts';
import type { FilePlan } from '../files/file-plan.ts';
import { SingleFiles } from '../files/single-file.ts';
import { checkField, type Fields, pairsOf } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
import {
  BOOLEAN,
  checkShape,
  checkValue,
  FUNCTION,
  OBJECT,
  type Shape,
  TEXT,
  type ValueRule,
  wholeNumber,
} from '../rules/shape.ts';
import type { Call, Handler } from './app.ts';
import { AppCall } from './app-call.ts';
import { replyOfPlan } from './plan-reply.ts';

export interface FileOptions {
  /** Resolves the path inside this directory: nothing leads out of it, and hidden files are not served. Give it for any path that clients can choose. Default: none, the path is what it says. */
  readonly root?: string;
  /** The Content-Type. Default: by extension. */
  readonly type?: string;
  /** Added to every answer with the file. Default: none. */
  readonly fields?: Fields;
  /** Uses `.br`, `.zst` and `.gz` files beside the file. Default true. */
  readonly precompressed?: boolean;
}

export interface FilesOptions extends Omit<DirectoryOptions, 'fields'> {
  /** Added to every answer with a file. Default: none. */
  readonly fields?: Fields;
}

const FILES_RULES: { readonly [Name in keyof FilesOptions]-?: ValueRule } = {
  index: { words: 'the name of a file, or an empty string', holds: (value) => typeof value === 'string' },
  fallback: TEXT,
  immutable: { words: 'a regular expression', holds: (value) => value instanceof RegExp },
  cacheControl: FUNCTION,
  listing: BOOLEAN,
  dotfiles: BOOLEAN,
  allowSymlinks: BOOLEAN,
  precompressed: BOOLEAN,
  fields: { words: 'an object or a list of pairs', holds: (value) => typeof value === 'object' && value !== null },
  keepBelow: wholeNumber(0),
  limits: OBJECT,
};
const FILES_SHAPE: Shape = {
  rules: FILES_RULES,
  others: { headers: 'use fields', spa: 'use fallback', dotFiles: 'use dotfiles' },
};
const FILES_LIMITS_SHAPE: Shape = {
  rules: {
    keepBelow: wholeNumber(0),
    maxBytes: wholeNumber(0),
    maxFiles: wholeNumber(0),
    maxOpen: wholeNumber(0),
  } satisfies { readonly [Name in keyof FileCacheLimits]: unknown },
};

let singleFiles: SingleFiles | null = null;

/**
 * Answers with a file: ETag, Last-Modified, If-*, Range and If-Range, HEAD; 404 if there is none, 405 for other methods. Rejects
 * if `root` does not exist.
 */
export async function file(call: Call, path: string, options: FileOptions = {}): Promise<Reply> {
  singleFiles ??= new SingleFiles();
  const { fields, ...others } = options;
  const plan = singleFiles.plan(call, path, fields === undefined ? others : { ...others, fields: checked(fields) });
  return replyOfPlan(plan);
}

/**
 * A handler that serves a directory; what is not there is left to the next handler. On a route that ends in `*` the directory
 * stands for the part before it. Rejects if `root` is not a directory.
 */
export async function files(root: string, options: FilesOptions = {}): Promise<Handler> {
  checkValue(root ?? null, 'root', TEXT);
  checkShape(options, '', FILES_SHAPE);
  if (options.limits !== undefined) checkShape(options.limits, 'limits.', FILES_LIMITS_SHAPE);
  const { fields, ...others } = options;
  const directory = new Directory(root, fields === undefined ? others : { ...others, fields: checked(fields) });
  return (call) => {
    let plan: FilePlan | null;
    if (call instanceof AppCall && call.restAt > 1) {
      const { path } = call;
      const end = call.restAt - 1;
      plan = directory.plan(new BelowPrefix(call, path.slice(end)), undefined, path.slice(0, end));
    } else {
      plan = directory.plan(call);
    }
    return plan === null ? undefined : replyOfPlan(plan);
  };
}

/** A request for what lies below the part of the path that a route has used. */
class BelowPrefix {
  readonly method: string;
  readonly path: string;
  readonly #call: AppCall;

  constructor(call: AppCall, path: string) {
    this.method = call.method;
    this.path = path;
    this.#call = call;
  }

  /** Only redirects ask for it. */
  get query(): string {
    return this.#call.query;
  }

  header(name: string): string | null {
    return this.#call.header(name);
  }

  hasFieldPrefix(prefix: string): boolean {
    return this.#call.hasFieldPrefix(prefix);
  }
}

function checked(fields: Fields): [name: string, value: string][] {
  const list: [string, string][] = [];
  for (const [name, value] of pairsOf(fields)) {
    checkField(name, value);
    list.push([name, value]);
  }
  return list;
}
