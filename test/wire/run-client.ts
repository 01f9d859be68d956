/**
 * Plays a case to a server as a client, through a raw socket or in memory, and checks every byte that comes back. It determines
 * the end state without waiting for silence: an open connection answers one more request, a waiting one refuses the client's
 * end, a closed one has sent its FIN.
 */
import { Buffer } from 'node:buffer';
import { connect as connectSocket, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import { cutAt, lengthOf, randomIndices } from './cuts.ts';
import type { ExpectedResponse, WireCase } from './load-cases.ts';
import type { Part } from './notation.ts';
import { countResponses, lineOf, linesOf, readResponses } from './read-responses.ts';
import type { Run } from './run-parser.ts';

const FOLLOW_UP = 'GET /follow-up HTTP/1.1\r\nHost: follow-up\r\nConnection: close\r\n\r\n';
const FOLLOW_UP_ANSWER: ExpectedResponse = {
  status: 200,
  cause: null,
  isWithoutContent: false,
  closes: true,
  isOptional: false,
};
/** The number of cuts in a random way. */
const CUTS = 6;

/** A client's end of a connection. */
export interface WireClient {
  /** All that has arrived. */
  readonly received: Buffer;
  /** Waits for that or for the server's FIN; a reset is a failure. */
  until(isReached: () => boolean): Promise<void>;
  ended(): Promise<void>;
  /** Resolves when the next bytes will arrive separately. */
  write(bytes: Buffer): Promise<void>;
  end(): void;
  destroy(): void;
}

/** Plays a case in every way to the server at a port, or to which `connect` leads, and expects what it says; tells each run. */
export async function checkCase(
  to: number | (() => WireClient),
  one: WireCase,
  afterEach: (way: string, run: Run) => void = () => {},
): Promise<void> {
  const connect = typeof to === 'number' ? () => socketClient(to) : to;
  for (const { way, parts } of waysOf(one)) {
    const run = await runCase(connect(), one, parts);
    const lines = linesOf(one.expected.responses, run.lines);
    expect({ way, ...run }).toEqual({ way, lines, end: one.expected.end });
    afterEach(way, run);
  }
}

/** Whole, and in two random ways that are always the same for the same case. */
function waysOf({ document, name, sent }: WireCase): { way: string; parts: readonly Part[] }[] {
  const length = lengthOf(sent.parts);
  const random = (number: number) => {
    const indices = randomIndices(length, CUTS, `${document} ${name} ${number}`);
    return { way: `cut at ${indices.join(', ')}`, parts: cutAt(sent.parts, indices) };
  };
  return [{ way: 'whole', parts: sent.parts }, random(1), random(2)];
}

async function runCase(client: WireClient, one: WireCase, parts: readonly Part[]): Promise<Run> {
  const { sent, expected } = one;
  const { responses, end } = expected;
  try {
    for (const { afterAnswers, bytes } of parts) {
      await client.until(() => countResponses(client.received, responses) >= afterAnswers);
      await client.write(bytes);
    }
    if (end === 'open') {
      await client.write(Buffer.from(FOLLOW_UP, 'latin1'));
      return await finish(client, [...responses, FOLLOW_UP_ANSWER], ['200 close'], end);
    }
    if (end === 'waiting') {
      client.end();
      const refusal = endedRefusal(one);
      return await finish(client, [...responses, refusal], [lineOf(refusal)], end);
    }
    if (sent.ends) client.end();
    await client.ended();
    const run = await finish(client, responses, [], end);
    // A lingering server accepts what still arrives; after an ordinary answer with "close" nothing more may come back.
    if (!sent.ends && responses.at(-1)?.cause !== null) {
      await client.write(Buffer.from(FOLLOW_UP, 'latin1'));
      await client.write(Buffer.from(FOLLOW_UP, 'latin1'));
    }
    client.end();
    return run;
  } finally {
    client.destroy();
  }
}

/** The answer to a client that half-closes within a request. */
function endedRefusal({ sent }: WireCase): ExpectedResponse {
  const all = Buffer.concat(sent.parts.map((part) => part.bytes)).toString('latin1');
  const isHead = /(?:^|\r\n)HEAD [^\r]*(?:\r\n[^\r]+)*(?:\r\n)?$/.test(all);
  return { ...FOLLOW_UP_ANSWER, status: 400, cause: 'ended', isWithoutContent: isHead };
}

/** Reads until the server's FIN; `probe` is what the last bytes must have been answered with. */
async function finish(
  client: WireClient,
  expected: readonly ExpectedResponse[],
  probe: readonly string[],
  end: Run['end'],
): Promise<Run> {
  await client.ended();
  const lines = readResponses(client.received, expected);
  const brought = probe.length > 0 ? lines.splice(-1) : [];
  const isAsProbed = brought[0] === probe[0];
  return { lines: isAsProbed ? lines : [...lines, ...brought], end: isAsProbed ? end : 'closed' };
}

function socketClient(port: number): WireClient {
  return new SocketClient(connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
}

export class SocketClient implements WireClient {
  received: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  #hasEnded = false;
  #error: Error | null = null;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#wake();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
      this.#wake();
    });
  }

  async until(isReached: () => boolean): Promise<void> {
    while (!isReached() && !this.#hasEnded) {
      this.#check();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#check();
  }

  ended(): Promise<void> {
    return this.until(() => this.#hasEnded);
  }

  /** The kernel has the bytes, and other tasks have had a turn. */
  async write(bytes: Buffer): Promise<void> {
    if (bytes.length > 0) await new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()));
    await turn();
    this.#check();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #check(): void {
    if (this.#error !== null)
      throw new Error(`${this.#error.message}, after ${JSON.stringify(this.received.toString())}`);
  }
}
