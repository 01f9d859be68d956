/** `file()` and `files()`: what src/files plans, as answers of the engine. Owns this worker's cache of single files. */
import { Directory } from '../files/directory.ts';
import type { DirectoryOptions } from '../files/directory-options.ts';
import type { FilePlan } from '../files/file-plan.ts';
import { SingleFiles } from '../files/single-file.ts';
import { checkField, type Fields, pairsOf } from '../http/fields.ts';
import type { Reply } from '../http/reply.ts';
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
