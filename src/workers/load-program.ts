/** A program from disk: loaded, or what is wrong with it in one line for the person who wrote it. */
import { fileURLToPath } from 'node:url';
import { escapeControls } from './report.ts';

/** With it in the environment, the message has the stack instead. */
const STACK = 'VRYPT_STACK';

/** Its default export. */
export async function loadProgram(url: string): Promise<unknown> {
  try {
    return ((await importAlone(url)) as { default?: unknown }).default;
  } catch (error) {
    throw new Error(`${fileURLToPath(url)} cannot be loaded: ${textOf(error)}`);
  }
}

/** Rejects with errors that nobody catches, too: a program may not wait for a promise of its own. */
async function importAlone(url: string): Promise<unknown> {
  const uncaught = Promise.withResolvers<never>();
  process.on('uncaughtException', uncaught.reject);
  try {
    const module = await Promise.race([import(url), uncaught.promise]);
    // By the end of this turn Node has found rejections that nobody handles.
    await Promise.race([new Promise((resolve) => setImmediate(resolve)), uncaught.promise]);
    return module;
  } finally {
    process.off('uncaughtException', uncaught.reject);
  }
}

function textOf(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  if (stack === undefined) return escapeControls(String(error));
  if (process.env[STACK] !== undefined) return escapeControls(stack);
  const text = String(error).replaceAll(/\s*\n\s*/g, ' ');
  return escapeControls(`${text}${placeIn(stack)}; ${STACK}=1 shows the stack`);
}

/** Where in the program: the first call in a module from disk that is none of ours. */
function placeIn(stack: string): string {
  for (const [, url = '', line] of stack.matchAll(/^\s+at (?:.*\()?(file:[^\s()]+?):(\d+):\d+\)?$/gm)) {
    if (!url.startsWith(OWN)) return ` (${fileURLToPath(url)}:${line})`;
  }
  return '';
}

/** Of our own source; nothing is from there once it is bundled. */
const OWN = import.meta.url === undefined ? '\n' : new URL('..', import.meta.url).href;
