/** Serves the files of a directory, compressed where that is worth it. Owns the directory's cache. */
import { FileReply, LargeFileReply } from '../app/plan-reply.ts';
import type { Call } from '../engine/call.ts';
import { Directory } from '../files/directory.ts';
import { FILE_CACHE_DEFAULTS } from '../files/file-cache.ts';
import { type FilePlan, isFileSource } from '../files/file-plan.ts';
import type { Reply } from '../http/reply.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { Compressor } from './compressor.ts';
import type { FilesAction as FilesConfig } from './config/web-config.ts';
import { compilePattern, matchAny } from './path-pattern.ts';
import type { Action, Where } from './route.ts';

/** Larger files are read from a descriptor: they cost more memory than the reads cost time. */
const KEEP_BELOW = 1024 * 1024;
/** Of Node's timers: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class FilesAction implements Action {
  readonly #directory: Directory;
  readonly #compressor: Compressor | null;
  readonly #request = new FilesRequest();
  /** Owned: cleared in close(). */
  readonly #sweeper: NodeJS.Timeout;

  /** `workers` share the memory that the configuration allows. */
  constructor(config: FilesConfig, compressor: Compressor | null, workers: number) {
    const rules = config.cacheControl.map(({ paths, value }) => ({ patterns: paths.map(compilePattern), value }));
    const maxBytes = Math.floor(config.cacheSize / workers);
    this.#directory = new Directory(config.root, {
      index: config.index,
      ...(config.fallback === null ? {} : { fallback: config.fallback }),
      listing: config.listing,
      dotfiles: config.dotfiles,
      allowSymlinks: config.symlinks,
      precompressed: config.precompressed,
      keepBelow: Math.min(KEEP_BELOW, maxBytes),
      limits: { ...FILE_CACHE_DEFAULTS, maxBytes },
      cacheControl: (path) => rules.find(({ patterns }) => matchAny(patterns, path) >= 0)?.value ?? null,
    });
    this.#compressor = compressor;
    this.#sweeper = setInterval(() => this.#directory.dropUnused(), Math.min(config.cacheTtlMs, LONGEST_TIMER_MS));
    this.#sweeper.unref();
  }

  answer(call: Call, where: Where, shape: AnswerShape): Reply | null | Promise<Reply> {
    const request = this.#request;
    const { prefix } = where;
    request.call = call;
    const local = prefix === '' ? where.rawPath : where.rawPath.slice(prefix.length) || '/';
    // As nginx and Caddy serve it. Routes and what guards them have seen it so too.
    request.path = local.indexOf('//') < 0 ? local : local.replace(/\/{2,}/g, '/');
    request.query = where.query;
    const plan = this.#directory.plan(request, undefined, prefix);
    if (plan === null) return null;
    // Errors look like all errors of the route; the others carry a file's fields.
    if (plan.status >= 400 && plan.status !== 416 && plan.content === null) {
      return shape.error(
        plan.status,
        plan.fields.filter(([name]) => name !== 'Content-Type'),
      );
    }
    return this.#compressor === null ? replyOf(plan, shape) : this.#compressor.replyOf(plan, call, shape);
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#directory.close();
  }
}

/** What `Directory` asks of a request; one object serves all. */
class FilesRequest {
  call: Call | null = null;
  path = '';
  query = '';

  get method(): string {
    return (this.call as Call).method;
  }

  header(name: string): string | null {
    return (this.call as Call).header(name);
  }

  hasFieldPrefix(prefix: string): boolean {
    return (this.call as Call & { hasFieldPrefix?(prefix: string): boolean }).hasFieldPrefix?.(prefix) ?? true;
  }
}

/** As it is, with the fields of the route. */
export function replyOf(plan: FilePlan, shape: AnswerShape): Reply {
  const prepared = preparedOf(plan, shape);
  if (prepared.identity !== null) return prepared.identity;
  const head = { status: plan.status, fields: shape.fieldsOf(plan.fields), length: plan.length };
  if (isFileSource(plan.content)) return new LargeFileReply(head, plan.content);
  prepared.identity = new FileReply(head, plan.content);
  return prepared.identity;
}

/** Answers made of a plan that can be sent again. */
export class PreparedFile {
  readonly shape: AnswerShape;
  /** As the file is, for a plan that is not compressed. */
  identity: FileReply | null = null;
  /** Whether compressing it is worth it; null: not known yet. */
  isWorthIt: boolean | null = null;
  /** By content coding. */
  readonly encoded = new Map<string, FileReply>();

  constructor(shape: AnswerShape) {
    this.shape = shape;
  }
}

/** Nearly every route has one shape. */
export function preparedOf(plan: FilePlan, shape: AnswerShape): PreparedFile {
  const known = plan.prepared as PreparedFile[] | null;
  if (known !== null) {
    for (let i = 0; i < known.length; i++) if (known[i]?.shape === shape) return known[i] as PreparedFile;
  }
  const made = new PreparedFile(shape);
  plan.prepared = known === null ? [made] : [...known, made];
  return made;
}
