/**
 * A folder of programs and files: programs are run by a FastCGI application, files are served, and the front controller answers for
 * everything else. The proxy belongs to whoever made it.
 */
import { Buffer } from 'node:buffer';
import type { Call } from '../engine/call.ts';
import { reply } from '../http/made-reply.ts';
import type { Reply } from '../http/reply.ts';
import type { CgiScript } from '../proxy/fastcgi-writer.ts';
import type { ReverseProxy } from '../proxy/reverse-proxy.ts';
import type { AnswerShape } from './answer-shape.ts';
import type { Compressor } from './compressor.ts';
import type { ScriptsConfig } from './config/backend-config.ts';
import { FilesAction } from './files-action.ts';
import { compilePattern } from './path-pattern.ts';
import { type Action, encodePath, type Where } from './route.ts';
import { type FoundScript, ScriptFinder } from './script-finder.ts';

export interface ScriptsParts {
  readonly proxy: ReverseProxy;
  readonly maxContent: number | null;
  readonly compressor: Compressor | null;
  /** Of what applications answer; null: it is not compressed. */
  readonly proxiedCompressor: Compressor | null;
  /** They share the memory for files. */
  readonly workers: number;
}

export class ScriptsAction implements Action {
  readonly #config: ScriptsConfig;
  readonly #parts: ScriptsParts;
  /** Owned. */
  readonly #files: FilesAction;
  readonly #finder: ScriptFinder;

  constructor(config: ScriptsConfig, parts: ScriptsParts) {
    this.#config = config;
    this.#parts = parts;
    this.#files = new FilesAction(config.files, parts.compressor, parts.workers);
    this.#finder = new ScriptFinder(config.files.root, config.files.symlinks, config.noScripts.map(compilePattern));
  }

  answer(call: Call, where: Where, shape: AnswerShape): Reply | null | Promise<Reply | null> {
    const local = where.prefix === '' ? where.path : where.path.slice(where.prefix.length) || '/';
    const found = this.#finder.find(local);
    if (found === 'forbidden') return null;
    if (found === 'redirect') return redirectToFolder(call, where, shape);
    if (found !== 'file') return this.#run(call, where, found, shape);
    return this.#files.answer(call, where, shape) ?? this.#runFront(call, where, shape);
  }

  close(): void {
    this.#files.close();
  }

  #runFront(call: Call, where: Where, shape: AnswerShape): Reply | null {
    const name = `/${this.#config.frontController}`;
    if (name === '/' || !this.#finder.isScript(name)) return null;
    return this.#run(call, where, { name, pathInfo: '' }, shape);
  }

  #run(call: Call, where: Where, { name, pathInfo }: FoundScript, shape: AnswerShape): Reply {
    const { documentRoot } = this.#config;
    const script: CgiScript = {
      file: bytesOf(`${documentRoot}${name}`),
      name: bytesOf(`${where.prefix}${name}`),
      pathInfo: bytesOf(pathInfo),
      documentRoot: bytesOf(documentRoot),
      query: where.query,
    };
    const { maxContent, proxiedCompressor, proxy } = this.#parts;
    const coding = proxiedCompressor?.coderFor(call) ?? null;
    const limit = maxContent ?? Number.POSITIVE_INFINITY;
    return proxy.handle(call, where.isTls ? 'https' : 'http', null, shape, limit, coding, script);
  }
}

function redirectToFolder(call: Call, { path, query }: Where, shape: AnswerShape): Reply {
  const isSafe = call.method === 'GET' || call.method === 'HEAD';
  const location = `${encodePath(path)}/${query === '' ? '' : `?${query}`}`;
  return reply(isSafe ? 301 : 308, Object.fromEntries(shape.fieldsOf([['Location', location]])));
}

/** Text as the bytes of its UTF-8, one a character. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
