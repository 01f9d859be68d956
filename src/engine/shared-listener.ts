/**
 * A listening Unix socket for all threads of a process. The kernel spreads no connections over several sockets with one path, and a
 * descriptor that two threads' handles hold would be closed twice; so each thread gets a descriptor of its own for the same socket, by the
 * only way that Node has to duplicate one: sent over a Unix socket (SCM_RIGHTS, unix(7)). Only the main thread can give it, see `give`.
 */
import { Buffer } from 'node:buffer';
import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
import {
  loadPipeBindings,
  loadTcpBindings,
  type PipeBindings,
  type PipeHandle,
  systemError,
  type TcpBindings,
} from './handle-bindings.ts';

/** Entitles a thread of this process to the socket. Can be sent to it. */
export interface ListenerTicket {
  /** Of the abstract socket where it is given. */
  readonly name: string;
  /** The name is everybody's to see, in /proc/net/unix. */
  readonly secret: Uint8Array;
}

export interface SharedListener {
  readonly ticket: ListenerTicket;
  close(): void;
}

const SECRET_BYTES = 32;
/** Somebody else's connections may wait here for nothing. */
const MAX_WAITING = 64;
const READ_SIZE = 64;
const UV_ECONNRESET = -104;

/** Null where it cannot be given. `close` comes before that of the listener. */
export function shareListener(listener: PipeHandle): SharedListener | null {
  const streams = loadTcpBindings();
  if (streams === null || !isMainThread) return null;
  const pipes = loadPipeBindings();
  const ticket = { name: `\0vrypt-server ${randomUUID()}`, secret: new Uint8Array(randomBytes(SECRET_BYTES)) };
  const office = new pipes.Pipe(pipes.constants.SERVER);
  let waiting = 0;
  office.onconnection = (_status, client) => {
    if (client === undefined) return;
    if (waiting === MAX_WAITING) {
      client.close();
      return;
    }
    waiting++;
    readSecret(streams, client as PipeHandle, (secret) => {
      waiting--;
      const isOurs = secret !== null && timingSafeEqual(secret, ticket.secret);
      if (isOurs) give(streams, pipes, client as PipeHandle, listener);
      else client.close();
    });
  };
  const error = office.bind(ticket.name) || office.listen(MAX_WAITING);
  if (error !== 0) {
    office.close();
    return null;
  }
  office.unref();
  return { ticket, close: () => office.close() };
}

/** `done` gets null if it is not as long as one. */
function readSecret(
  { streamBaseState, kReadBytesOrError }: TcpBindings,
  client: PipeHandle,
  done: (secret: Buffer | null) => void,
): void {
  const buffer = Buffer.alloc(READ_SIZE);
  client.useUserBuffer(buffer);
  client.onread = () => {
    const length = streamBaseState[kReadBytesOrError] as number;
    client.readStop();
    done(length === SECRET_BYTES ? buffer.subarray(0, length) : null);
  };
  client.unref();
  client.readStart();
}

/**
 * libuv sends descriptors only over pipes that were made for that, and accepts none that are. So the accepted socket gets a second
 * handle, which closes it; `client` must never be closed, because the descriptor may be somebody else's by then, and is lost: some hundred
 * bytes for each thread that starts. A thread that ended before the process would close it nevertheless: hence only the main thread.
 */
function give({ WriteWrap }: TcpBindings, pipes: PipeBindings, client: PipeHandle, listener: PipeHandle): void {
  const sender = new pipes.Pipe(pipes.constants.IPC);
  if (sender.open(client.fd) !== 0) {
    client.close();
    return;
  }
  const request = new WriteWrap();
  request.oncomplete = () => sender.close();
  if (sender.writeUtf8String(request, 'x', listener) !== 0) sender.close();
}

/** The socket, in another thread. Rejects with the system's error. */
export function takeListener({ name, secret }: ListenerTicket): Promise<PipeHandle> {
  const { Pipe, PipeConnectWrap, constants } = loadPipeBindings();
  const { WriteWrap } = loadTcpBindings() as TcpBindings;
  const receiver = new Pipe(constants.IPC);
  return new Promise((resolve, reject) => {
    const fail = (error: number) => {
      receiver.close();
      reject(systemError(error));
    };
    const request = new PipeConnectWrap();
    request.oncomplete = (status) => {
      if (status !== 0) {
        fail(status);
        return;
      }
      receiver.onread = () => {
        const pendingHandle = receiver.pendingHandle ?? null;
        if (pendingHandle === null) {
          fail(UV_ECONNRESET);
          return;
        }
        receiver.close();
        resolve(pendingHandle);
      };
      receiver.readStart();
      const writing = new WriteWrap();
      writing.oncomplete = () => {};
      const error = receiver.writeBuffer(writing, Buffer.from(secret));
      if (error !== 0) fail(error);
    };
    receiver.connect(request, name);
  });
}
