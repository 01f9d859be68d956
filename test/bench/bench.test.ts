import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RequestParser } from '../../src/http/request-parser.ts';
import { barsOf } from './bars.ts';
import { chartOf } from './chart.ts';
import type { Sample } from './load.ts';
import { fileOf, MODES } from './modes.ts';
import { planOf } from './options.ts';
import { KINDS, readAll } from './parser.ts';
import { PEERS } from './peers.ts';
import { committedChart, committedResults } from './places.ts';
import { figuresOf, median, quantile, type Results } from './results.ts';
import { report, table } from './table.ts';

const limits = { maxRequestLine: 8192, maxHeaderSize: 8192, maxHeaderCount: 100, maxBodySize: 2 ** 30 };
const results = JSON.parse(readFileSync(committedResults, 'utf8')) as Results;

function sampleOf(cpuMicros: number): Sample {
  return {
    requests: 10,
    errors: 1,
    requestsPerSecond: 1e6 / cpuMicros,
    cpuMicros,
    p50Micros: 1,
    p99Micros: 2,
    plainMicros: null,
  };
}

describe('figures', () => {
  it('are medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(quantile([0, 10], 0.1)).toBe(1);
    expect(median([])).toBeNaN();
  });

  it('are compared within a round, so that a slow round does not matter', () => {
    const rounds = [1, 5, 1].map((slowness) => [
      { server: 'floor', mode: 'plain', sample: sampleOf(4 * slowness) },
      { server: 'vrypt', mode: 'plain', sample: sampleOf(6 * slowness) },
      { server: 'vrypt', mode: 'post', sample: { ...sampleOf(9 * slowness), plainMicros: 6 * slowness } },
    ]);
    const [floor, plain, post] = figuresOf(rounds, 'floor');
    expect(floor).toMatchObject({ server: 'floor', ratioToFloor: 1, rounds: 3, errors: 3 });
    expect(plain).toMatchObject({ cpuMicros: 6, ratioToFloor: 1.5, ratioToPlain: null, range: [6, 30] });
    expect(post).toMatchObject({ ratioToFloor: null, ratioToPlain: 1.5 });
  });
});

describe('modes', () => {
  it.each(MODES.map((mode) => [mode.id, mode] as const))('%s sends requests that the parser accepts', (id, mode) => {
    const requests = mode.requests();
    const parser = new RequestParser(limits);
    const counts = requests.map((request) => readAll(parser, Buffer.from(request, 'latin1')));
    expect(new Set(counts)).toEqual(new Set([id === 'pipelined' ? 16 : 1]));
    expect(new Set(requests).size).toBe(requests.length);
  });

  it('write requests as wrk.lua reads them', () => {
    expect(fileOf(['GET', 'POST 1'])).toBe('3 GET6 POST 1');
  });

  it('for the parser alone are accepted too', () => {
    const parser = new RequestParser(limits);
    for (const [, request] of KINDS) expect(readAll(parser, Buffer.from(request.repeat(2), 'latin1'))).toBe(2);
  });
});

describe('the command line', () => {
  it('says what is wrong', () => {
    expect(() => planOf(['--peers', 'apache'])).toThrow('--peers must name some of vrypt, floor');
    expect(() => planOf(['--rounds', '0'])).toThrow('--rounds must be a whole number from 1 to 1000, got "0"');
    expect(() => planOf(['--cores', '1'])).toThrow('--cores must be two core numbers');
  });

  it('keeps the order of the rows', () => {
    const plan = planOf(['--peers=floor,vrypt', '--modes=post,plain', '--nice=-10', '--quick']);
    expect(plan).toMatchObject({ peers: ['vrypt', 'floor'], modes: ['plain', 'post'], nice: -10, rounds: 2 });
    expect(planOf(['--help'])).toBeUndefined();
  });
});

describe('the committed results', () => {
  it('are what the committed chart shows', () => {
    expect(readFileSync(committedChart, 'utf8')).toBe(chartOf(results));
  });

  it('name every peer, measured or missing with its reason', () => {
    expect(results.servers.map((server) => server.id)).toEqual(PEERS.map((peer) => peer.id));
    for (const { id, missing } of results.servers) {
      const isMeasured = results.figures.some((figure) => figure.server === id);
      expect(isMeasured || missing['all']).toBeTruthy();
    }
  });

  it('have a figure for every bar', () => {
    expect(barsOf(results).filter((bar) => bar.isMet === null)).toEqual([]);
  });

  it('make a report with aligned tables', () => {
    const lines = report(results).split('\n');
    expect(lines.some((line) => line.includes('vrypt-server'))).toBe(true);
    expect(table(['a', 'b'], [['long', '1']])).toBe('| a    |   b |\n| ---- | --: |\n| long |   1 |');
  });
});
