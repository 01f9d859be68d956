/** The peer `http-proxy`: argv is its node_modules, port and the port of the origin. */
import { Agent } from 'node:http';
import { createRequire } from 'node:module';

const [modules = '', port = '0', origin = '0'] = process.argv.slice(2);
const { createProxyServer } = createRequire(`${modules}/`)('http-proxy');
const agent = new Agent({ keepAlive: true });
createProxyServer({ target: `http://127.0.0.1:${origin}`, agent, xfwd: true }).listen(Number(port) + 1, '127.0.0.1');
// Whoever starts it asks the first port whether it is there.
createProxyServer({ target: `http://127.0.0.1:${origin}`, agent }).listen(Number(port), '127.0.0.1');
