/** Asks a server what its description asks, over HTTP/1.1 on a connection of its own. */
import { request } from 'node:http';
import type { Question } from '../program/program.ts';
import { Failure } from '../support/errors.ts';
import { shown } from './shown.ts';

export interface Answer {
  readonly status: number;
  readonly content: string;
}

export function send(port: number, question: Question, timeoutMs: number): Promise<Answer> {
  const { method = 'GET', path = '/', headers = {}, body } = question;
  const options = {
    host: '127.0.0.1',
    port,
    method,
    path,
    headers,
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const got = error.name === 'AbortError' ? `nothing within ${timeoutMs} ms` : error.message;
      reject(new Failure(`it must answer ${method} ${path}, got ${got}`));
    };
    const sent = request(options, (response) => {
      let content = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        content += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, content })).on('error', fail);
    });
    sent.on('error', fail).end(body);
  });
}

/** Throws when the answer is not the one that the description names. */
export async function assertAnswered(port: number, question: Question, timeoutMs: number): Promise<void> {
  const { status = 200, content, contains } = question;
  const answer = await send(port, question, timeoutMs);
  if (answer.status !== status) {
    throw new Failure(`the status must be ${status}, got ${answer.status} with ${shown(answer.content)}`);
  }
  if (content !== undefined && answer.content !== content) {
    throw new Failure(`the content must be ${shown(content)}, got ${shown(answer.content)}`);
  }
  if (contains !== undefined && !answer.content.includes(contains)) {
    throw new Failure(`the content must contain ${shown(contains)}, got ${shown(answer.content)}`);
  }
}
