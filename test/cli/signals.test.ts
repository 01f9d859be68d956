import { describe, expect, test } from 'vitest';
import { isHangupIgnored } from '../../src/cli/signals.ts';

function status(ignored: string): string {
  return `Name:\tbash\nSigBlk:\t0000000000010000\nSigIgn:\t${ignored}\nSigCgt:\t000000004b817efb\n`;
}

describe('a SIGHUP that was ignored before the start', () => {
  test.for(['/usr/bin/nohup', 'nohup'])('is inferred from a shell that started %s', (program) => {
    expect(isHangupIgnored(program, status('0000000000000000'))).toBe(true);
  });

  test('is inferred from a parent that ignores it', () => {
    expect(isHangupIgnored(undefined, status('0000000000000001'))).toBe(true);
    expect(isHangupIgnored('/bin/sh', status('0000000000384005'))).toBe(true);
  });

  test('is not inferred from a parent that ignores other signals, or that is not visible', () => {
    // bash ignores SIGQUIT, and SIGTERM if interactive, but children inherit neither.
    expect(isHangupIgnored('./vrypt-server', status('0000000000384004'))).toBe(false);
    expect(isHangupIgnored('./vrypt-server', null)).toBe(false);
  });
});
