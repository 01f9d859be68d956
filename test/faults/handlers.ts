/** Handlers of programs that throw before, while and after they answer, and sources that stall or lie. */
import { ask, request, whole, withProgram } from './program-process.ts';
import { type Finding, finding, type Proof } from './proof.ts';

const TIMES = 50;
const LAST_CHUNK = '\r\n0\r\n\r\n';

interface Case {
  readonly path: string;
  readonly what: string;
  readonly bar: string;
  isRight(answer: string): boolean;
}

const CASES: readonly Case[] = [
  { path: '/before', what: 'thrown before the answer', bar: '500, closed', isRight: isFailure },
  { path: '/later', what: 'rejected before the answer', bar: '500, closed', isRight: isFailure },
  { path: '/while', what: 'thrown while streaming', bar: 'cut off, no last chunk', isRight: isCutOff },
  { path: '/stalled', what: 'a source that stalls, with a time-out', bar: 'cut off, no last chunk', isRight: isCutOff },
  {
    path: '/short',
    what: 'a stream shorter than it said',
    bar: 'cut off',
    isRight: (answer) => answer.endsWith('half of it') || answer === '',
  },
];

export const handlers: Proof = {
  title: `handlers that throw before, while and after they answer, and sources that stall, ${TIMES} times each`,
  run: () =>
    withProgram([], false, async (server) => {
      const findings: Finding[] = [];
      for (const { path, what, bar, isRight } of CASES) {
        const answers = await Promise.all(Array.from({ length: TIMES }, () => whole(server.port, request(path))));
        const right = answers.filter(isRight).length;
        findings.push(finding(what, `${right} of ${TIMES}`, `${bar}: all`, right === TIMES));
      }
      const after = await Promise.all(Array.from({ length: TIMES }, () => ask(server.port, '/after')));
      const told = () => server.stderr.split('failed after the answer').length - 1;
      const deadline = performance.now() + 5000;
      while (told() < TIMES && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
      const isWhole = after.every((body) => body === 'here');
      findings.push(
        finding(
          'work that fails after the answer',
          `${told()} of ${TIMES} reported`,
          'all, answers whole',
          isWhole && told() === TIMES,
        ),
        finding('the next request', await ask(server.port, '/'), 'here', (await ask(server.port, '/')) === 'here'),
      );
      return findings;
    }),
};

function isFailure(answer: string): boolean {
  return answer.startsWith('HTTP/1.1 500 ') && answer.includes('\r\nConnection: close\r\n');
}

function isCutOff(answer: string): boolean {
  return !answer.endsWith(LAST_CHUNK) && (answer === '' || answer.startsWith('HTTP/1.1 200 '));
}
