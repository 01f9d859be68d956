/** QUIC and HTTP/3, both ends in this process; the key and the certificate lie beside it. Prints what came back. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, listen } from 'node:quic';

const read = (name) => readFileSync(new URL(name, import.meta.url));
const endpoint = await listen(
  (session) => {
    session.onstream = (stream) => stream.closed.then(() => session.close());
  },
  {
    sni: { '*': { keys: [createPrivateKey(read('key.pem'))], certs: [read('cert.pem')] } },
    onheaders(headers) {
      this.sendHeaders({ ':status': '200', 'x-path': headers[':path'] });
      this.writer.writeSync(new TextEncoder().encode('over HTTP/3'));
      this.writer.endSync();
    },
  },
);
const session = await connect(endpoint.address, { servername: 'localhost', verifyPeer: 'manual' });
const { protocol } = await session.opened;
const answered = Promise.withResolvers();
const stream = await session.createBidirectionalStream({
  headers: { ':method': 'GET', ':path': '/a', ':scheme': 'https', ':authority': 'localhost' },
  onheaders: answered.resolve,
});
const headers = await answered.promise;
const parts = [];
for await (const batch of stream) parts.push(...batch);
console.log(protocol, headers[':status'], headers['x-path'], Buffer.concat(parts).toString());
await session.close();
await endpoint.close();
