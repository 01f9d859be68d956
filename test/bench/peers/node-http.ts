/** The peer `node:http`: argv is port and workers; more than one worker is a cluster. */
import cluster from 'node:cluster';
import { createServer } from 'node:http';

const [port = '8080', workers = '1'] = process.argv.slice(2);

if (workers !== '1' && cluster.isPrimary) {
  for (let worker = 0; worker < Number(workers); worker++) cluster.fork();
} else {
  createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 5 });
    response.end('Vrypt');
  }).listen(Number(port), '0.0.0.0', 4096);
}
