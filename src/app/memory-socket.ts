/** A connection in memory as a stream of Node, so that Node's own HTTP client speaks over it. */
import type { Buffer } from 'node:buffer';
import { Duplex } from 'node:stream';
import type { MemoryConnection } from '../engine/memory-transport.ts';

export function streamOver(connection: MemoryConnection): Duplex {
  let isEndTold = false;
  const stream = new Duplex({
    read() {
      connection.resume();
    },
    write(chunk: Buffer, _encoding, done) {
      connection.write(chunk);
      done();
    },
    final(done) {
      connection.end();
      done();
    },
    destroy(error, done) {
      if (!connection.isDestroyed) connection.break();
      done(error);
    },
  });
  connection.onChange = () => {
    for (const bytes of connection.received.splice(0)) {
      if (!stream.push(bytes)) connection.pause();
    }
    if (connection.isReset && !stream.destroyed) {
      stream.destroy(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }));
    } else if (connection.isEnded && !isEndTold) {
      isEndTold = true;
      stream.push(null);
    }
  };
  return stream;
}
