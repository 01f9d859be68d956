/** The end of the session's server. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Check } from '../../scripts/smoke/checks.ts';
import { mustBe } from '../../scripts/smoke/own-server.ts';
import { shown } from '../../scripts/smoke/shown.ts';
import { Failure } from '../../scripts/support/errors.ts';
import { expected } from './expected.ts';

export const endChecks: readonly Check[] = [
  {
    sentence: 'ends with exit code 0 at SIGTERM, closing an idle connection, and has printed two lines',
    run: async ({ server, product }) => {
      const idle = connect(server.port, '127.0.0.1');
      const signal = AbortSignal.timeout(product.timeoutMs);
      idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(idle, 'data', { signal });
      const closed = once(idle.resume(), 'close', { signal: AbortSignal.timeout(2 * product.timeoutMs) });
      server.signal('SIGTERM');
      const { code, stdout, stderr } = await server.mustEnd('after SIGTERM');
      await closed;
      mustBe('the exit code', String(code), '0');
      mustBe('standard error', stderr, '');
      const [first = '', second = '', ...more] = stdout.split('\n');
      mustBe('the first line', first, expected.ready);
      if (more.length !== 1 || more[0] !== '') throw new Failure(`it must print two lines, got ${shown(stdout)}`);
      mustBe('the second line', second, expected.stopped);
      mustBe('the signal in the second line', expected.stopped.exec(second)?.[1] ?? '', 'SIGTERM');
    },
  },
];
