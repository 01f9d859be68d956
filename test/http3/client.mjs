/** A client of HTTP/3 on `node:quic`: `client.mjs <port> <JSON of {name, requests}>` prints the answers as JSON. */
import { connect } from 'node:quic';

const { name, requests } = JSON.parse(process.argv[3]);
const session = await connect(`127.0.0.1:${process.argv[2]}`, {
  servername: name,
  verifyPeer: 'manual',
  handshakeTimeout: 30_000,
  transportParams: { maxIdleTimeout: 60 },
});
session.onerror = () => {};
const { subject } = await session.opened.then(() => session.peerCertificate);
const answers = await Promise.all(requests.map(ask));
console.log(JSON.stringify({ subject, answers }));
process.exit(0);

async function ask({ path, method = 'GET', fields = {}, content = 0 }) {
  const answer = { interim: [], length: 0, text: '' };
  const headers = { ':method': method, ':scheme': 'https', ':authority': name, ':path': path, ...fields };
  const stream = await session.createBidirectionalStream({
    headers,
    ...(content > 0 ? { body: new Uint8Array(content).fill(120) } : {}),
    onheaders: (all) => Object.assign(answer, { status: Number(all[':status']), fields: all }),
    oninfo: (all) => void answer.interim.push(all),
  });
  stream.onerror = () => {};
  try {
    for await (const batch of stream) {
      for (const bytes of batch) {
        answer.length += bytes.length;
        if (answer.text.length < 1000) answer.text += Buffer.from(bytes).toString('latin1', 0, 1000);
      }
    }
  } catch (error) {
    answer.error = error.code;
  }
  return answer;
}
