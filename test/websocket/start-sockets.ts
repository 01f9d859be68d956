/** A WebSocket server for one test; ended with it. */
import { onTestFinished } from 'vitest';
import type { SocketHandlers } from '../../src/websocket/handlers.ts';
import { type OpenTransport, TRANSPORTS } from '../engine/start-engine.ts';
import { listenForSockets, type SocketServer, type SocketServerOptions } from './socket-server.ts';

export { ECHO } from './socket-server.ts';
export { TRANSPORTS };

export async function startSockets(
  handlers: SocketHandlers,
  options: SocketServerOptions & { readonly open?: OpenTransport } = {},
): Promise<SocketServer> {
  const { open = TRANSPORTS[0].open } = options;
  const server = await listenForSockets(open(), handlers, options);
  onTestFinished(() => server.stop());
  return server;
}
