/** The peer `Bun.serve`: argv is port and workers; every further worker is a process on the same port. */
declare const Bun: {
  serve(options: {
    port: number;
    hostname: string;
    reusePort: boolean;
    fetch(request: Request): Response | Promise<Response>;
  }): unknown;
  spawn(command: string[], options: { stdio: readonly ['ignore', 'ignore', 'inherit'] }): unknown;
};

const [port = '8080', workers = '1'] = process.argv.slice(2);

for (let worker = 1; worker < Number(workers); worker++) {
  Bun.spawn([process.execPath, import.meta.filename, port, '1'], { stdio: ['ignore', 'ignore', 'inherit'] });
}
Bun.serve({
  port: Number(port),
  hostname: '0.0.0.0',
  reusePort: true,
  fetch: () => new Response('Vrypt', { headers: { 'Content-Type': 'text/plain' } }),
});
