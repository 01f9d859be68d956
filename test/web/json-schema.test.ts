import { readFileSync, writeFileSync } from 'node:fs';
import { toJsonSchema } from '@valibot/to-json-schema';
import { expect, test } from 'vitest';
import { CONFIG } from '../../src/web/config/schema.ts';

const file = new URL('../../src/web/config/vrypt.schema.json', import.meta.url);

test('the JSON Schema for editors is the one that the configuration is checked by; UPDATE=1 writes it', () => {
  const schema = toJsonSchema(CONFIG, { typeMode: 'input', errorMode: 'ignore' });
  const text = `${JSON.stringify({ title: 'vrypt-server web --config', ...schema }, null, 1)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
