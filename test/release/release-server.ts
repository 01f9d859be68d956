/** A folder of a release behind HTTP, which also misbehaves as an unlucky or a hostile download does. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Misbehavior = 'truncates' | 'truncates once' | 'no ranges' | 'endless' | 'missing';

export interface ReleaseServer {
  readonly url: string;
  /** Paths with the Range field, in the order of the requests. */
  readonly requests: string[];
  /** By file name. */
  readonly files: Map<string, Uint8Array>;
  readonly misbehaviors: Map<string, Misbehavior>;
  close(): Promise<void>;
}

export async function startReleaseServer(host = '127.0.0.1'): Promise<ReleaseServer> {
  const files = new Map<string, Uint8Array>();
  const misbehaviors = new Map<string, Misbehavior>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const name = (request.url ?? '/').slice(1);
    const { range } = request.headers;
    requests.push(range === undefined ? name : `${name} ${range}`);
    const bytes = files.get(name);
    const misbehavior = misbehaviors.get(name);
    if (bytes === undefined || misbehavior === 'missing') return response.writeHead(404).end();
    if (misbehavior === 'endless') return sendWithoutEnd(response);
    const start = misbehavior === 'no ranges' ? 0 : Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const rest = bytes.subarray(start);
    if (start > 0 && rest.length === 0) return response.writeHead(416).end();
    response.writeHead(start > 0 ? 206 : 200, {
      'Content-Length': rest.length,
      ...(start > 0 ? { 'Content-Range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    if (misbehavior !== 'truncates' && misbehavior !== 'truncates once') return response.end(rest);
    if (misbehavior === 'truncates once') misbehaviors.delete(name);
    response.write(rest.subarray(0, rest.length >> 1), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    requests,
    files,
    misbehaviors,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendWithoutEnd(response: ServerResponse): void {
  const block = Buffer.alloc(1 << 20);
  const more = (): void => {
    while (!response.destroyed && response.write(block));
  };
  response
    .writeHead(200)
    .on('drain', more)
    .on('error', () => undefined);
  more();
}
