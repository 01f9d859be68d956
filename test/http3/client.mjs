/**
 * A client of HTTP/3 on `node:quic`: `client.mjs <port> <JSON of {name, requests}>` prints the answers as JSON. With
 * --expose-internals, `raw` fields are sent as they are, whatever they say.
 */
import { createRequire } from 'node:module';

if (process.execArgv.includes('--expose-internals'))
  sendRawFields(createRequire(import.meta.url)('internal/http2/util'));
// Not before: it takes what it needs of that module when it is loaded.
const { connect } = process.getBuiltinModule('node:quic');

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

async function ask({ path, method = 'GET', fields = {}, content = 0, raw, trailers }) {
  const answer = { interim: [], length: 0, text: '' };
  const usual = { ':method': method, ':scheme': 'https', ':authority': name, ':path': path, ...fields };
  const stream = await session.createBidirectionalStream({
    headers: raw === undefined ? usual : { raw },
    ...(content > 0 ? { body: new Uint8Array(content).fill(120) } : {}),
    onheaders: (all) => Object.assign(answer, { status: Number(all[':status']), fields: all }),
    ontrailers: (all) => Object.assign(answer, { trailers: all }),
    ...(trailers === undefined
      ? {}
      : {
          onwanttrailers() {
            this.sendTrailers(Array.isArray(trailers) ? { raw: trailers } : trailers);
          },
        }),
    oninfo: (all) => void answer.interim.push(all),
  });
  stream.onerror = () => {};
  stream.onreset = ({ errorCode }) => Object.assign(answer, { reset: Number(errorCode) });
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

function sendRawFields(util) {
  const usual = util.buildNgHeaderString;
  util.buildNgHeaderString = (fields, ...rest) =>
    Array.isArray(fields.raw)
      ? [fields.raw.map(([name, value]) => `${name}\0${value}\0\0`).join(''), fields.raw.length]
      : usual(fields, ...rest);
}
