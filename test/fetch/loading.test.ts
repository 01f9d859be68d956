import { execFileSync } from 'node:child_process';
import { expect, test, vi } from 'vitest';

// Each test starts a process.
vi.setConfig({ testTimeout: 60_000 });

const ROOM = new URL('../../src/fetch/index.ts', import.meta.url).href;

/** What a separate process prints after each of its steps: whether undici is loaded. */
function run(program: string): unknown {
  const text = `
    const isLoaded = () => process.moduleLoadList.some((name) => name.endsWith('undici/undici'));
    const { installGlobals, linkGlobals, LazyRequest, Origin, responseParts } = await import(${JSON.stringify(ROOM)});
    ${program}`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', text], { encoding: 'utf8' }));
}

test('loads nothing of Node’s fetch before it is needed', () => {
  const steps = run(`
    const steps = [isLoaded()];
    installGlobals();
    const response = new Response('text', { headers: { a: 'b' } });
    steps.push(response instanceof Response, {} instanceof Response, await response.clone().text(), isLoaded());
    const request = new Request('http://a/', { method: 'POST', body: '{}' });
    steps.push(await request.json(), responseParts(response).content, isLoaded());
    const fetched = await fetch('data:,x');
    steps.push(isLoaded(), fetched instanceof Response, fetched.headers instanceof Headers, response instanceof fetched.constructor);
    console.log(JSON.stringify(steps));`);
  expect(steps).toEqual([false, true, false, 'text', false, {}, 'text', false, true, true, true, true]);
});

test('reads a form with Node’s parser, even before the first fetch', () => {
  const steps = run(`
    installGlobals();
    const form = await new Response('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }).formData();
    const blob = await new Response('x', { headers: { 'content-type': 'A/B; C="d"' } }).blob();
    console.log(JSON.stringify([[...form], blob.type]));`);
  expect(steps).toEqual([[['a', 'b']], 'a/b;c=d']);
});

test('leaves the globals of a program that keeps them, and links them', () => {
  const steps = run(`
    const { Response: Ours } = await import(${JSON.stringify(ROOM)});
    linkGlobals();
    console.log(JSON.stringify([Response === Ours, new Ours() instanceof Response, new Response() instanceof Ours]));`);
  expect(steps).toEqual([false, true, true]);
});

test('finds the classes that a program has used before', () => {
  const steps = run(`
    const Nodes = Response;
    const early = new Response('early');
    installGlobals();
    console.log(JSON.stringify([Nodes === Response, early instanceof Response, new Response() instanceof Nodes]));`);
  expect(steps).toEqual([false, true, true]);
});
