/** From what a worker serves to the engine's handler: called in every worker, so all of them serve the same. */
import type { Handler } from '../engine/call.ts';
import { Answer } from '../http/answer.ts';
import type { AppSource } from './source.ts';

/** Rejects with a RangeError for an answer that would not be valid on the wire. */
export async function loadApp(source: AppSource): Promise<Handler> {
  switch (source.kind) {
    case 'respond': {
      const answer = new Answer(source.status, source.fields, source.content);
      return () => answer;
    }
    case 'echo': {
      const { echo } = await import('./echo.ts');
      return echo(source.status, source.fields);
    }
  }
}
