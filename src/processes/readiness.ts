/** Whether an application can serve: it accepts, or it answers a path as it should. */
import { connect } from 'node:net';

/** What is asked of an application before it gets traffic. */
export interface ReadinessCheck {
  readonly path: string;
  /** As Host says it. */
  readonly host: string;
  /** Statuses that are good, both ends included. */
  readonly from: number;
  readonly to: number;
}

/** An application that accepts and says nothing is not ready. */
const ANSWER_MS = 5000;

/** `where`: a port, or the path of a Unix socket. null: whether it accepts connections. */
export function isReady(where: number | string, check: ReadinessCheck | null): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = typeof where === 'string' ? connect(where) : connect({ host: '127.0.0.1', port: where });
    const end = (isGood: boolean) => {
      socket.destroy();
      resolve(isGood);
    };
    let head = '';
    socket.setEncoding('latin1');
    socket.once('connect', () => {
      if (check === null) end(true);
      else socket.write(`GET ${check.path} HTTP/1.1\r\nHost: ${check.host}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (text: string) => {
      head += text;
      const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(head) ?? [];
      if (check !== null && status !== undefined) end(Number(status) >= check.from && Number(status) <= check.to);
      else if (head.length > 'HTTP/1.1 200'.length) end(false);
    });
    socket.setTimeout(ANSWER_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('end', () => end(false));
  });
}
